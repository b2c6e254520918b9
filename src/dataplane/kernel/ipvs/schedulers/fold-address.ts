import { parseIP } from '../../../../machinery/ip.js';

/** An address as the 32 bits that the hashes take: the parts of an IPv6 one are put together by XOR. */
export function foldAddress(text: string): number {
  let { value } = parseIP(text) ?? { value: 0n };
  let folded = 0;
  for (; value > 0n; value >>= 32n) folded ^= Number(value & 0xffffffffn);
  return folded >>> 0;
}

const GOLDEN_RATIO = 0x61c88647;

/** The kernel's hash_32. */
export const hash32 = (value: number, bits: number): number => Math.imul(value, GOLDEN_RATIO) >>> (32 - bits);
