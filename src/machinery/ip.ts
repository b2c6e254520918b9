import ipaddr from 'ipaddr.js';
export type Family = 'IPv4' | 'IPv6';

/** Packs dotted decimal into an unsigned 32-bit number; undefined when `text` is not that. */
export function parseIPv4(text: string): number | undefined {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 46) {
      if (octet < 0 || ++dots > 3) return undefined;
      value = value * 256 + octet;
      octet = -1;
    } else if (c >= 48 && c <= 57) {
      octet = (octet < 0 ? 0 : octet * 10) + (c - 48);
      if (octet > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : undefined;
}

function parseIPv6(text: string): bigint | undefined {
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  let value = 0n;
  for (const part of ipaddr.IPv6.parse(text).parts) value = (value << 16n) | BigInt(part);
  return value;
}

export function familyOf(address: string): Family | undefined {
  if (parseIPv4(address) !== undefined) return 'IPv4';
  return parseIPv6(address) === undefined ? undefined : 'IPv6';
}

/** The text Go's net.IP prints (RFC 5952); undefined when `text` is no address. */
export function canonicalIP(text: string): string | undefined {
  const v4 = parseIPv4(text);
  if (v4 !== undefined) return formatIPv4(v4);
  return parseIPv6(text) === undefined ? undefined : ipaddr.IPv6.parse(text).toString();
}

const formatIPv4 = (value: number): string =>
  `${Math.floor(value / 2 ** 24)}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

function formatIPv6(value: bigint): string {
  const parts: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) parts.push(Number((value >> shift) & 0xffffn));
  return new ipaddr.IPv6(parts).toString();
}

export interface Cidr {
  readonly family: Family;
  /** Network address with prefix length, always ("10.0.0.1/32"). */
  readonly text: string;
  readonly prefix: number;
  /** The network address alone. */
  readonly network: string;
  contains(address: string): boolean;
}

/** Reads "address/prefix" or a lone address (full-length prefix). Undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const length = slash < 0 ? undefined : text.slice(slash + 1);
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const v4 = parseIPv4(address);
  if (v4 !== undefined) return ipv4Cidr(v4, length === undefined ? 32 : Number(length));
  const v6 = parseIPv6(address);
  return v6 === undefined ? undefined : ipv6Cidr(v6, length === undefined ? 128 : Number(length));
}

function ipv4Cidr(address: number, prefix: number): Cidr | undefined {
  if (prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const first = Math.floor(address / size) * size;
  const network = formatIPv4(first);
  return {
    family: 'IPv4',
    text: `${network}/${prefix}`,
    prefix,
    network,
    contains(other) {
      const value = parseIPv4(other);
      return value !== undefined && value >= first && value < first + size;
    },
  };
}

function ipv6Cidr(address: bigint, prefix: number): Cidr | undefined {
  if (prefix > 128) return undefined;
  const shift = BigInt(128 - prefix);
  const bits = address >> shift;
  const network = formatIPv6(bits << shift);
  return {
    family: 'IPv6',
    text: `${network}/${prefix}`,
    prefix,
    network,
    contains(other) {
      const value = parseIPv6(other);
      return value !== undefined && value >> shift === bits;
    },
  };
}

/** "ip:port", or "[ip]:port" for IPv6. */
export const joinHostPort = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
