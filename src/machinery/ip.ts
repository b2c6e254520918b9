/**
 * Addresses and ranges of both families, read as Kubernetes reads them (netutils.ParseIPSloppy: leading zeros of a quad are
 * decimal, zones are refused) in one pass over the text, and printed as Go prints them (RFC 5952).
 */
export type Family = 'IPv4' | 'IPv6';

export interface IpAddress {
  readonly family: Family;
  /** As an unsigned number of 32 or 128 bits. */
  readonly value: bigint;
}

export const bitsOf = (family: Family): number => (family === 'IPv4' ? 32 : 128);

const DOT = 46;
const ZERO = 48;
const COLON = 58;

/** Packs dotted decimal into an unsigned 32-bit number; undefined when `text` is not that. */
export function parseIPv4(text: string): number | undefined {
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) {
      if (digits === 0 || ++dots > 3) return undefined;
      value = value * 256 + octet;
      octet = digits = 0;
    } else if (c >= ZERO && c <= ZERO + 9) {
      octet = octet * 10 + (c - ZERO);
      if (++digits > 3 || octet > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && digits > 0 ? value * 256 + octet : undefined;
}

/** The eight groups of an IPv6 address; undefined when `text` is none. */
function parseGroups(text: string): number[] | undefined {
  const groups: number[] = [];
  let gap = -1;
  let i = 0;
  if (text.startsWith('::')) {
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    if (groups.length === 8) return undefined;
    const start = i;
    let group = 0;
    for (; i < text.length; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) break;
      group = group * 16 + digit;
      if (i - start >= 4) return undefined;
    }
    if (i === start) return undefined;
    if (text.charCodeAt(i) === DOT) {
      // The last two groups may be written as an IPv4 address.
      const quad = groups.length > 6 ? undefined : parseIPv4(text.slice(start));
      if (quad === undefined) return undefined;
      groups.push(quad >>> 16, quad & 0xffff);
      break;
    }
    groups.push(group);
    if (i === text.length) break;
    if (text.charCodeAt(i++) !== COLON || i === text.length) return undefined;
    if (text.charCodeAt(i) !== COLON) continue;
    if (gap >= 0) return undefined;
    gap = groups.length;
    i++;
  }
  if (gap < 0) return groups.length === 8 ? groups : undefined;
  // "::" stands for one group of zeros at least.
  if (groups.length === 8) return undefined;
  return [...groups.slice(0, gap), ...Array.from({ length: 8 - groups.length }, () => 0), ...groups.slice(gap)];
}

function hexDigit(c: number): number {
  if (c >= ZERO && c <= ZERO + 9) return c - ZERO;
  const letter = c | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function parseIPv6(text: string): bigint | undefined {
  const groups = text.includes(':') ? parseGroups(text) : undefined;
  return groups?.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Undefined when `text` is no address. */
export function parseIP(text: string): IpAddress | undefined {
  const v4 = parseIPv4(text);
  if (v4 !== undefined) return { family: 'IPv4', value: BigInt(v4) };
  const v6 = parseIPv6(text);
  return v6 === undefined ? undefined : { family: 'IPv6', value: v6 };
}

export function familyOf(address: string): Family | undefined {
  if (parseIPv4(address) !== undefined) return 'IPv4';
  return parseIPv6(address) === undefined ? undefined : 'IPv6';
}

const formatIPv4 = (value: number): string =>
  `${Math.floor(value / 2 ** 24)}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

/** RFC 5952: lower case, and the first of the longest runs of two or more zero groups is left out. */
function formatIPv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (part: readonly number[]): string => part.map(group => group.toString(16)).join(':');
  if (best.length < 2) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

export const formatIP = ({ family, value }: IpAddress): string =>
  family === 'IPv4' ? formatIPv4(Number(value)) : formatIPv6(value);

/** The text Go's net.IP prints; undefined when `text` is no address. */
export function canonicalIP(text: string): string | undefined {
  const v4 = parseIPv4(text);
  if (v4 !== undefined) return formatIPv4(v4);
  const v6 = parseIPv6(text);
  return v6 === undefined ? undefined : formatIPv6(v6);
}

/** "ip:port", or "[ip]:port" for IPv6. */
export const joinHostPort = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

const PORT = /^\d{1,5}$/;

/** "10.0.0.1:80", "[fd00::1]:80", the address as Go prints it. Undefined when it is none of these, or on port 0. */
export function parseHostPort(text: string): { address: string; port: number } | undefined {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, Math.max(colon, 0));
  const isBracketed = host.startsWith('[') && host.endsWith(']');
  const address = canonicalIP(isBracketed ? host.slice(1, -1) : host);
  if (address === undefined || address.includes(':') !== isBracketed) return undefined;
  const digits = text.slice(colon + 1);
  const port = PORT.test(digits) ? Number(digits) : 0;
  return port > 0 && port <= 65_535 ? { address, port } : undefined;
}

/** The first address of the range of this prefix length that `ip` is in. */
export function networkOf({ family, value }: IpAddress, prefix: number): IpAddress {
  const host = BigInt(bitsOf(family) - prefix);
  return { family, value: (value >> host) << host };
}

/** As they stand in a packet. @throws RangeError when `text` is no address */
export function ipBytes(text: string): Uint8Array {
  const ip = parseIP(text);
  if (ip === undefined) throw new RangeError(`${JSON.stringify(text)} is no IP address`);
  const length = bitsOf(ip.family) / 8;
  return Uint8Array.from({ length }, (_, i) => Number((ip.value >> BigInt(8 * (length - 1 - i))) & 0xffn));
}
