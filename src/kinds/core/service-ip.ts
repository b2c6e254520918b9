import { type Family, type IpAddress, parseIP } from '../../machinery/ip.js';

const MAPPED = 0xffffn;

/** An address as Services may write it: Go takes an IPv4 address in IPv6's form ("::ffff:10.0.0.1") for the former. */
export function parseServiceIp(text: string): IpAddress | undefined {
  const ip = parseIP(text);
  return ip?.family === 'IPv6' && ip.value >> 32n === MAPPED
    ? { family: 'IPv4', value: ip.value & 0xffffffffn }
    : ip;
}

/** netutils.IPFamilyOfString; what is no address counts as IPv4, as nothing says IPv6. */
export const serviceIpFamily = (text: string): Family => parseServiceIp(text)?.family ?? 'IPv4';
