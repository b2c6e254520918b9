import { canonicalIP, familyOf } from '../../machinery/ip.js';
import type { Family } from '../packet.js';

const PORT = /^\d{1,5}$/;

/** "10.0.0.1:80", "[fd00::1]:80". Undefined when it is none, of another family, or on port 0. */
export function parseAddressPort(text: string, family: Family): { address: string; port: number } | undefined {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, Math.max(colon, 0));
  const isBracketed = host.startsWith('[') && host.endsWith(']');
  const address = canonicalIP(isBracketed ? host.slice(1, -1) : host);
  if (address === undefined || isBracketed !== (family === 'IPv6') || familyOf(address) !== family) return undefined;
  const digits = text.slice(colon + 1);
  const port = PORT.test(digits) ? Number(digits) : 0;
  return port > 0 && port <= 65_535 ? { address, port } : undefined;
}
