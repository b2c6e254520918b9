import { createServer, type Server } from 'node:net';
import type { Random } from '../machinery/random.js';
import { HOST } from './addresses.js';

/** Real addresses of one cluster's nodes on this machine, which no other cluster has. */
export interface HostRange {
  /** Of a node, by its number from 0. */
  addressOf(node: number): string;
  /** Others may have it. */
  release(): void;
}

/** Not a node port, nor one that anything asks for. */
const CLAIM_PORT = 29_999;
/** 127.64.0.0/10 has 16,384 ranges of 256: two clusters rarely try the same. */
const TRIES = 100;

/**
 * Claims a range of 127/8 by a listener on its first address, which ends with this process however that ends. Where
 * there is only 127.0.0.1, everybody has that, and of two clusters with the same node port one opens it.
 * @throws Error when none is free
 */
export async function claimHostRange(random: Random, platform: NodeJS.Platform = process.platform): Promise<HostRange> {
  if (platform !== 'linux') return { addressOf: () => HOST, release: () => undefined };
  for (let i = 0; i < TRIES; i++) {
    const prefix = `127.${64 + random.below(64)}.${random.below(256)}`;
    const claim = await listening(`${prefix}.254`);
    if (claim === undefined) continue;
    return { addressOf: node => `${prefix}.${1 + (node % 253)}`, release: () => void claim.close() };
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
