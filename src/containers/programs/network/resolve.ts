import { familyOf, type Family } from '../../../machinery/ip.js';
import type { Process } from '../../process.js';

/** The address of a name or of itself, of one family if that is asked for; undefined: there is none. */
export async function addressOf(process: Process, host: string, family?: Family): Promise<string | undefined> {
  const literal = familyOf(host);
  if (literal !== undefined) return family === undefined || literal === family ? host : undefined;
  const only = family === undefined ? {} : { type: family === 'IPv4' ? ('A' as const) : ('AAAA' as const) };
  const found = await process.container.resolver.lookup(host, { signal: process.signal, ...only });
  return found.addresses[0];
}
