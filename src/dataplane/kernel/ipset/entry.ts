import { parseCidr } from '../../../machinery/cidr.js';
import { canonicalIP } from '../../../machinery/ip.js';
import { NetfilterError } from '../errors.js';
import type { SetType } from './types.js';

const PORT = /^\d{1,5}$/;
const PROTOCOL_PORT = /^(tcp|udp|sctp):\d{1,5}$/;

/** A dimension as the kernel keeps it; undefined when it is none. */
const canonical: Readonly<Record<'ip' | 'port' | 'net', (text: string) => string | undefined>> = {
  ip: canonicalIP,
  port: text => (PROTOCOL_PORT.test(text) ? text : undefined),
  net: text => parseCidr(text)?.text,
};

/** The form of an entry by which a set knows it; a range always has its prefix length. @throws NetfilterError */
export function entryKey(type: SetType, text: string): string {
  const key = type === 'bitmap:port' ? (PORT.test(text) ? text : undefined) : hashKey(type, text);
  if (key === undefined) throw new NetfilterError(`"${text}" is no entry of a set of type ${type}`);
  return key;
}

function hashKey(type: Exclude<SetType, 'bitmap:port'>, text: string): string | undefined {
  const dimensions = type.slice('hash:'.length).split(',') as ('ip' | 'port' | 'net')[];
  const parts = text.split(',');
  if (parts.length !== dimensions.length) return undefined;
  const keys = parts.map((part, i) => canonical[dimensions[i] ?? 'ip'](part));
  return keys.includes(undefined) ? undefined : keys.join();
}
