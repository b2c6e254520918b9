import { parseCidr } from '../../../machinery/cidr.js';
import { type Family, parseIP } from '../../../machinery/ip.js';

export interface AddressRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** An address, a CIDR, or "first-last". Undefined when it is none. */
export function parseRange(text: string): AddressRange | undefined {
  const dash = text.indexOf('-');
  if (dash < 0) return parseCidr(text);
  const [from, to] = [parseIP(text.slice(0, dash)), parseIP(text.slice(dash + 1))];
  if (from === undefined || from.family !== to?.family || from.value > to.value) return undefined;
  return { family: from.family, first: from.value, last: to.value };
}

export function rangeContains(text: string, address: string): boolean {
  const [range, ip] = [parseRange(text), parseIP(address)];
  return range !== undefined && ip?.family === range.family && ip.value >= range.first && ip.value <= range.last;
}
