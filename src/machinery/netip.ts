import { quote } from './go-text.js';
import { bitsOf, parseIP, type Family, type IpAddress } from './ip.js';

/**
 * Addresses and prefixes as Go's net/netip reads them, which is stricter than machinery/ip: no leading zeros, and it says
 * why. Source: net/netip of Go 1.25.
 */
export interface Addr extends IpAddress {
  /** What stands behind "%"; '' when there is none. */
  readonly zone: string;
}

export interface Prefix {
  readonly ip: Addr;
  readonly bits: number;
}

interface Problem {
  readonly text: string;
  /** What was not read yet. */
  readonly at?: string;
}

/** netip.ParseAddr. @returns the error's text when it is none */
export function parseAddr(text: string): Addr | string {
  const problem = addressProblem(text);
  if (problem !== undefined) {
    const where = problem.at ? ` (at ${quote(problem.at)})` : '';
    return `ParseAddr(${quote(text)}): ${problem.text}${where}`;
  }
  const percent = text.indexOf('%');
  const address = parseIP(percent < 0 ? text : text.slice(0, percent));
  // What has no problem is an address by the looser rules too.
  if (address === undefined) throw new Error(`${quote(text)} is an address, but not to every reader`);
  return { ...address, zone: percent < 0 ? '' : text.slice(percent + 1) };
}

/** The first of these says what the text wants to be. */
const KIND = /[.:%]/;

function addressProblem(text: string): Problem | undefined {
  switch (KIND.exec(text)?.[0]) {
    case '.':
      return quadProblem(text);
    case ':':
      return groupsProblem(text);
    case '%':
      return { text: 'missing IPv6 address' };
    default:
      return { text: 'unable to parse IP' };
  }
}

function quadProblem(text: string): Problem | undefined {
  let value = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char >= '0' && char <= '9') {
      if (digits === 1 && value === 0) return { text: 'IPv4 field has octet with leading zero' };
      value = value * 10 + Number(char);
      digits++;
      if (value > 255) return { text: 'IPv4 field has value >255' };
    } else if (char === '.') {
      if (digits === 0 || i === text.length - 1)
        return { text: 'IPv4 field must have at least one digit', at: text.slice(i) };
      if (dots === 3) return { text: 'IPv4 address too long' };
      dots++;
      value = digits = 0;
    } else return { text: 'unexpected character', at: text.slice(i) };
  }
  return dots < 3 ? { text: 'IPv4 address too short' } : undefined;
}

const GROUP = /[0-9a-fA-F]*/y;

function hexAt(text: string, at: number): string {
  GROUP.lastIndex = at;
  return GROUP.exec(text)?.[0] ?? '';
}

function groupsProblem(given: string): Problem | undefined {
  const percent = given.indexOf('%');
  if (percent === given.length - 1) return { text: 'zone must be a non-empty string' };
  const text = percent < 0 ? given : given.slice(0, percent);
  let at = 0;
  let groups = 0;
  let hasGap = text.startsWith('::');
  if (hasGap) at = 2;
  if (at === text.length) return undefined;
  while (groups < 8) {
    const rest = (): string => text.slice(at);
    const hex = hexAt(text, at);
    if (hex.length > 4) return { text: 'each group must have 4 or less digits', at: rest() };
    if (hex === '') return { text: 'each colon-separated field must have at least one digit', at: rest() };
    const end = at + hex.length;
    if (text[end] === '.') {
      if (!hasGap && groups !== 6)
        return { text: 'embedded IPv4 address must replace the final 2 fields of the address', at: rest() };
      if (groups > 6)
        return { text: 'too many hex fields to fit an embedded IPv4 at the end of the address', at: rest() };
      const problem = quadProblem(rest());
      if (problem !== undefined) return problem;
      groups += 2;
      at = text.length;
      break;
    }
    groups++;
    at = end;
    if (at === text.length) break;
    if (text[at] !== ':') return { text: 'unexpected character, want colon', at: rest() };
    if (at === text.length - 1) return { text: 'colon must be followed by more characters', at: rest() };
    at++;
    if (text[at] !== ':') continue;
    if (hasGap) return { text: 'multiple :: in address', at: rest() };
    hasGap = true;
    at++;
    if (at === text.length) break;
  }
  if (at < text.length) return { text: 'trailing garbage after address', at: text.slice(at) };
  if (groups < 8) return hasGap ? undefined : { text: 'address string too short' };
  return hasGap ? { text: 'the :: must expand to at least one field of zeros' } : undefined;
}

const BITS = /^(?:0|[1-9][0-9]{0,17})$/;

/** netip.ParsePrefix. @returns the error's text when it is none */
export function parseAddrPrefix(text: string): Prefix | string {
  const fail = (problem: string): string => `netip.ParsePrefix(${quote(text)}): ${problem}`;
  const slash = text.lastIndexOf('/');
  if (slash < 0) return fail("no '/'");
  const ip = parseAddr(text.slice(0, slash));
  if (typeof ip === 'string') return fail(ip);
  if (ip.zone !== '') return fail('IPv6 zones cannot be present in a prefix');
  const digits = text.slice(slash + 1);
  if (!BITS.test(digits)) return fail(`bad bits after slash: ${quote(digits)}`);
  const bits = Number(digits);
  return bits <= bitsOf(ip.family) ? { ip, bits } : fail('prefix length out of range');
}

const startsWith = ({ family, value }: IpAddress, of: Family, high: bigint, bits: number): boolean =>
  family === of && value >> BigInt(bitsOf(of) - bits) === high;

/** An IPv4 address that is written as IPv6. */
export const is4In6 = (ip: IpAddress): boolean => startsWith(ip, 'IPv6', 0xffffn, 96);

export const isUnspecified = ({ value }: IpAddress): boolean => value === 0n;

export const isLoopback = (ip: IpAddress): boolean =>
  startsWith(ip, 'IPv4', 127n, 8) || (ip.family === 'IPv6' && ip.value === 1n);

export const isMulticast = (ip: IpAddress): boolean =>
  startsWith(ip, 'IPv4', 0xen, 4) || startsWith(ip, 'IPv6', 0xffn, 8);

/** The scope is the second half of an IPv6 group's second byte. */
export const isLinkLocalMulticast = (ip: IpAddress): boolean =>
  startsWith(ip, 'IPv4', 0xe00000n, 24) || (startsWith(ip, 'IPv6', 0xffn, 8) && ((ip.value >> 112n) & 0xfn) === 2n);

export const isLinkLocalUnicast = (ip: IpAddress): boolean =>
  startsWith(ip, 'IPv4', 0xa9fen, 16) || startsWith(ip, 'IPv6', 0x3fan, 10);

/** Addr.IsGlobalUnicast: what is none of the above and not broadcast. */
export function isGlobalUnicastAddr(ip: IpAddress): boolean {
  if (ip.family === 'IPv4' && (ip.value === 0n || ip.value === 0xffffffffn)) return false;
  return !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip);
}
