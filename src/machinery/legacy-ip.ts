import { type Family, type IpAddress, parseIP } from './ip.js';

const MAPPED = 0xffffn;

/** "::ffff:10.0.0.1", however it is written: Go takes it for the IPv4 address. */
export const isMappedIp = ({ family, value }: IpAddress): boolean => family === 'IPv6' && value >> 32n === MAPPED;

/** An address as older fields may write it. */
export function parseLegacyIp(text: string): IpAddress | undefined {
  const ip = parseIP(text);
  return ip !== undefined && isMappedIp(ip) ? { family: 'IPv4', value: ip.value & 0xffffffffn } : ip;
}

/** netutils.IPFamilyOfString; what is no address counts as IPv4, as nothing says IPv6. */
export const legacyIpFamily = (text: string): Family => parseLegacyIp(text)?.family ?? 'IPv4';
