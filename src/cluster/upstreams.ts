import { readFile } from 'node:fs/promises';
import type { Upstream } from '../dns/forward.js';
import { familyOf, parseHostPort } from '../machinery/ip.js';

export type { Upstream } from '../dns/forward.js';

const DNS_PORT = 53;

/** "1.1.1.1,9.9.9.9:5353,[::1]:53", or the name servers of a file like resolv.conf; undefined when it is neither. */
export async function readUpstreams(text: string): Promise<readonly Upstream[] | undefined> {
  if (text === '') return [];
  const servers = text.startsWith('/') ? nameservers(await readFile(text, 'utf8')) : text.split(',');
  const upstreams = servers.map(parseUpstream);
  return servers.length > 0 && upstreams.every(upstream => upstream !== undefined) ? upstreams : undefined;
}

const nameservers = (file: string): string[] =>
  file.split('\n').flatMap(line => {
    const [keyword, address] = line.trim().split(/\s+/);
    return keyword === 'nameserver' && address !== undefined ? [address] : [];
  });

const parseUpstream = (text: string): Upstream | undefined =>
  familyOf(text) === undefined ? parseHostPort(text) : { address: text, port: DNS_PORT };
