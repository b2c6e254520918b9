import { createServer, type Server } from 'node:net';
import type { Random } from '../machinery/random.js';
import { HOST, MAX_CLUSTERS } from './addresses.js';

/** Real addresses of one cluster's nodes on this machine, which no other cluster has. */
export interface HostRange {
  /** Of a node, by its number from 0. */
  addressOf(node: number): string;
  /** Which it is of those of the same sort, from 0. */
  readonly number: number;
  /** Others may have it. */
  release(): void;
}

/** Not a node port, nor one that anything asks for. */
const CLAIM_PORT = 29_999;
/** 127.64.0.0/10 has 16,384 ranges of 256: two clusters rarely try the same. */
const TRIES = 100;

/** For clusters that nobody looks at: many, and short-lived. */
export function* anyRange(random: Random): Iterable<string> {
  for (let i = 0; i < TRIES; i++) yield `127.${64 + random.below(64)}.${random.below(256)}`;
}

/** For clusters that somebody types addresses of: the one that it had, then the first ones. */
export function* firstRanges(own: string | undefined): Iterable<string> {
  if (own !== undefined) yield own;
  for (let i = 0; i < MAX_CLUSTERS; i++) yield `127.0.${i}`;
}

/** "127.0.1" of "127.0.1.3". */
export const rangeOf = (address: string): string => address.slice(0, address.lastIndexOf('.'));

/**
 * Claims the first range of 127/8 that is free by a listener on one of its addresses, which ends with this process however
 * that ends. Where there is only 127.0.0.1, everybody has that, and of two clusters with the same node port one opens it.
 * @param prefixes "127.0.1": three numbers of each that is tried
 * @throws Error when none is free
 */
export async function claimHostRange(
  prefixes: Iterable<string>,
  platform: NodeJS.Platform = process.platform,
): Promise<HostRange> {
  if (platform !== 'linux') return { number: 0, addressOf: () => HOST, release: () => undefined };
  for (const prefix of prefixes) {
    const claim = await listening(`${prefix}.254`);
    if (claim === undefined) continue;
    return {
      number: Number(prefix.slice(prefix.lastIndexOf('.') + 1)),
      addressOf: node => `${prefix}.${1 + (node % 253)}`,
      release: () => void claim.close(),
    };
  }
  throw new Error('no range of addresses of this machine is free for the nodes');
}

const listening = (host: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy());
    // What only keeps a place keeps no process.
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(CLAIM_PORT, host, () => resolve(server));
  });
