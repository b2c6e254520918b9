import { Connection, type Ask } from './connection.js';
import type { Endpoint } from './endpoint.js';

/** Handshakes that are made at a time. */
const AT_A_TIME = 32;

export async function openMany(to: Endpoint, count: number): Promise<Connection[]> {
  const opened: Connection[] = [];
  while (opened.length < count) {
    const more = Math.min(AT_A_TIME, count - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: more }, () => Connection.open(to)))));
  }
  return opened;
}

/** For a few requests around what is measured. */
export async function withConnection<T>(to: Endpoint, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.open(to);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

/** So many clients that send the next request when the last is answered. */
export async function closedLoop(
  to: Endpoint,
  { clients, count }: { readonly clients: number; readonly count: number },
  ask: (i: number, client: number) => Ask,
): Promise<LoopResult> {
  const connections = await openMany(to, clients);
  return loopOver(connections, count, ask).finally(() => {
    for (const connection of connections) connection.close();
  });
}

export interface LoopResult {
  readonly tookMs: number;
  readonly perSecond: number;
  /** Of each request, in the order of their answers. */
  readonly latencies: readonly number[];
}

export async function loopOver(
  connections: readonly Connection[],
  count: number,
  ask: (i: number, client: number) => Ask,
): Promise<LoopResult> {
  let next = 0;
  const latencies: number[] = [];
  const begun = performance.now();
  await Promise.all(
    connections.map(async (connection, client) => {
      while (next < count) {
        const sent = performance.now();
        await connection.send(ask(next++, client));
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const tookMs = performance.now() - begun;
  return { tookMs, perSecond: (count / tookMs) * 1000, latencies };
}
