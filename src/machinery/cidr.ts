import { type AddressRange, containment, parseAddressRange } from './address-range.js';
import { bitsOf, formatIP, type IpAddress, networkOf, parseIP } from './ip.js';

export interface Cidr extends AddressRange {
  /** Network address with prefix length, always ("10.0.0.1/32"). */
  readonly text: string;
  readonly prefix: number;
  /** The network address alone. */
  readonly network: string;
  contains(address: string): boolean;
}

/** "address/prefix" as it is written: the address need not be the first of its range. Undefined when malformed. */
export function parsePrefix(text: string): { readonly ip: IpAddress; readonly prefix: number } | undefined {
  const slash = text.indexOf('/');
  const ip = slash < 0 ? undefined : parseIP(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (ip === undefined || !/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const prefix = Number(digits);
  return prefix <= bitsOf(ip.family) ? { ip, prefix } : undefined;
}

/** Reads "address/prefix" or a lone address (full-length prefix). Undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  if (text.includes('/')) {
    const found = parsePrefix(text);
    return found && cidrOf(found.ip, found.prefix);
  }
  const ip = parseIP(text);
  return ip && cidrOf(ip, bitsOf(ip.family));
}

/** An address, a CIDR, or "first-last". Undefined when it is none. */
export const parseRange = (text: string): AddressRange | undefined => parseAddressRange(text) ?? parseCidr(text);

/** The range of this prefix length that `ip` is in. */
export function cidrOf(ip: IpAddress, prefix: number): Cidr {
  const { family } = ip;
  const start = networkOf(ip, prefix);
  const network = formatIP(start);
  const first = start.value;
  const last = first + (1n << BigInt(bitsOf(family) - prefix)) - 1n;
  return {
    family,
    text: `${network}/${prefix}`,
    prefix,
    network,
    first,
    last,
    contains: containment({ family, first, last }),
  };
}

/** The address `offset` places after the first of the range; undefined beyond its end. */
export function addressAt({ family, first, last }: Cidr, offset: bigint): string | undefined {
  const value = first + offset;
  return value > last ? undefined : formatIP({ family, value });
}
