import { parseCidr } from '../../../machinery/cidr.js';
import { invalid } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { parseIP } from '../../../machinery/ip.js';

const LOOPBACK = [parseCidr('127.0.0.0/8'), parseCidr('::1')];
const LINK_LOCAL = [parseCidr('169.254.0.0/16'), parseCidr('fe80::/10')];
const LINK_LOCAL_GROUPS = parseCidr('224.0.0.0/24');

/** Addresses that cannot be an endpoint or an external IP of anything. */
export function checkNonSpecialIp(out: FieldError[], at: FieldPath, text: string): void {
  const ip = parseIP(text);
  if (ip === undefined) return void out.push(invalid(at, text, 'must be a valid IP address'));
  if (ip.value === 0n) out.push(invalid(at, text, `may not be unspecified (${text})`));
  if (LOOPBACK.some(range => range?.contains(text)))
    out.push(invalid(at, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  if (LINK_LOCAL.some(range => range?.contains(text)))
    out.push(invalid(at, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  // The four flags of an IPv6 group address do not matter, only its scope.
  const multicast =
    ip.family === 'IPv4' ? LINK_LOCAL_GROUPS?.contains(text) === true : ((ip.value >> 112n) & 0xff0fn) === 0xff02n;
  if (multicast) out.push(invalid(at, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
}
