import { familyOf, parseHostPort } from '../../machinery/ip.js';
import type { Family } from '../packet.js';

/** "10.0.0.1:80", "[fd00::1]:80". Undefined when it is none, of another family, or on port 0. */
export function parseAddressPort(text: string, family: Family): { address: string; port: number } | undefined {
  const end = parseHostPort(text);
  return end !== undefined && familyOf(end.address) === family ? end : undefined;
}
