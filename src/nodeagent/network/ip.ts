/** IPv4 text to a number, undefined when it is not IPv4. */
export function ipv4ToNumber(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export const numberToIPv4 = (value: number): string =>
  [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');

export interface Cidr {
  /** First address, as a number. */
  readonly base: number;
  /** Number of addresses. */
  readonly size: number;
}

/** "10.244.1.0/24" to its range; undefined when it is not an IPv4 CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', bits = ''] = text.split('/');
  const value = ipv4ToNumber(address);
  if (value === undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  const size = 2 ** (32 - Number(bits));
  return { base: value - (value % size), size };
}

export function cidrContains(cidr: Cidr, address: string): boolean {
  const value = ipv4ToNumber(address);
  return value !== undefined && value >= cidr.base && value < cidr.base + cidr.size;
}
