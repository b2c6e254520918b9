import { type Family, type IpAddress, parseIP, parseIPv4 } from './ip.js';
import type { Range } from './ranges.js';

export interface AddressRange extends Range {
  readonly family: Family;
}

/** "first-last". Undefined when it is none. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const dash = text.indexOf('-');
  if (dash < 0) return undefined;
  const [from, to] = [parseIP(text.slice(0, dash)), parseIP(text.slice(dash + 1))];
  if (from === undefined || from.family !== to?.family || from.value > to.value) return undefined;
  return { family: from.family, first: from.value, last: to.value };
}

export const isWithin = ({ family, first, last }: AddressRange, ip: IpAddress): boolean =>
  ip.family === family && ip.value >= first && ip.value <= last;

/** The same question for text. Rules ask this for every packet, so IPv4 stays with plain numbers. */
export function containment(range: AddressRange): (address: string) => boolean {
  const { family, first, last } = range;
  if (family === 'IPv4') {
    const [low, high] = [Number(first), Number(last)];
    return address => {
      const value = parseIPv4(address);
      return value !== undefined && value >= low && value <= high;
    };
  }
  return address => {
    const ip = parseIP(address);
    return ip !== undefined && isWithin(range, ip);
  };
}
