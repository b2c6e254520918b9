import type { Ask } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { openMany } from './pool.js';

/*
 * Clients that ask for the same again and again until they are killed, as a process of its own. `load.ts` starts it.
 */
export interface LoadOrder {
  readonly endpoint: Endpoint;
  readonly clients: number;
  readonly ask: Ask;
}

process.on('message', ({ endpoint, clients, ask }: LoadOrder) => {
  let answered = 0;
  const begin = async (): Promise<void> => {
    const connections = await openMany(endpoint, clients);
    await Promise.all(
      connections.map(async connection => {
        for (;;) {
          await connection.send(ask);
          process.send?.(++answered);
        }
      }),
    );
  };
  begin().catch((error: unknown) => {
    process.stderr.write(`load: ${String(error)}\n`);
    process.exit(1);
  });
});
