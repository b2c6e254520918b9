import { invalid, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import { parsePrefix } from '../../machinery/cidr.js';
import { formatIP, parseIP } from '../../machinery/ip.js';
import { checkCidr, checkIp, isIpv4, networkOf } from './formats.js';

/**
 * Addresses as newer fields take them: in their one canonical form (apimachinery IsValidIP and IsValidCIDR). What older
 * fields tolerate is in formats.ts.
 */
const LEADING_ZERO = /(^|\.)0\d/;
const MAPPED = /^::ffff:/i;

/** The texts of what is wrong with an address. */
export function ipProblems(text: string): string[] {
  const ip = parseIP(text);
  if (ip === undefined) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  if (isIpv4(text) && LEADING_ZERO.test(text)) return ['must not have leading 0s'];
  if (MAPPED.test(text) && text.includes('.')) return ['must not be an IPv4-mapped IPv6 address'];
  return formatIP(ip) === text ? [] : [`must be in canonical form ("${formatIP(ip)}")`];
}

export function checkStrictIp(out: FieldError[], at: FieldPath, text: string): void {
  if (parseIP(text) === undefined) return checkIp(out, at, text);
  for (const problem of ipProblems(text)) out.push(invalid(at, text, problem));
}

export function checkStrictCidr(out: FieldError[], at: FieldPath, text: string): void {
  const cidr = parsePrefix(text);
  if (cidr === undefined) return checkCidr(out, at, text);
  const address = text.slice(0, text.indexOf('/'));
  const network = `${networkOf(cidr.ip, cidr.prefix)}/${cidr.prefix}`;
  if (isIpv4(address) && LEADING_ZERO.test(address))
    out.push(invalid(at, text, 'must not have leading 0s in IP or prefix length'));
  else if (MAPPED.test(address) && address.includes('.'))
    out.push(invalid(at, text, 'must not have an IPv4-mapped IPv6 address'));
  else if (networkOf(cidr.ip, cidr.prefix) !== formatIP(cidr.ip))
    out.push(invalid(at, text, 'must not have bits set beyond the prefix length'));
  else if (network !== text) out.push(invalid(at, text, `must be in canonical form ("${network}")`));
}

/** An address of an interface, with the length of its network: "10.9.8.7/24". */
export function checkInterfaceAddress(out: FieldError[], at: FieldPath, text: string): void {
  const cidr = parsePrefix(text);
  if (cidr === undefined)
    return void out.push(
      invalid(at, text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'),
    );
  const shown = `${formatIP(cidr.ip)}/${cidr.prefix}`;
  if (shown !== text) out.push(invalid(at, text, `must be in canonical form ("${shown}")`));
}
