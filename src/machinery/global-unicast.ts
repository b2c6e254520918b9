import { parseCidr } from './cidr.js';
import { canonicalIP } from './ip.js';

/** Go's IP.IsGlobalUnicast says no to these; and IPv4 written as IPv6, and all of 0/8, mean the machine that looks. */
const ELSEWHERE = [
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  ...['::/127', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8'],
].flatMap(text => parseCidr(text) ?? []);

/** Whether a packet to the address may be one to a server of the cluster: not the machine itself, its link, or many at once. */
export function isGlobalUnicast(address: string): boolean {
  const canonical = canonicalIP(address);
  return canonical !== undefined && !ELSEWHERE.some(range => range.contains(canonical));
}
