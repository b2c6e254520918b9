import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer } from '../../../src/cluster/api-server.js';
import { ensurePki } from '../../../src/cluster/keys/pki.js';
import { realClock } from '../../../src/machinery/clock.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';

/*
 * The server that a campaign asks: a process of its own, so that its memory and its event loop are its own. It tells its
 * parent when its loop was held, and ends when the parent lets go of it.
 */

/** How often the loop is looked at. What is shorter than the least held time is not told. */
const LOOK_MS = 5;

export type Told =
  | { readonly ready: { readonly port: number; readonly ca: string } }
  /** The loop was held: from and to, in ms since the epoch, and for how much of that by this process. */
  | { readonly held: Held }
  | { readonly memoryBytes: number };

export type Held = readonly [from: number, to: number, workedMs: number];

const tell = (told: Told): void => void process.send?.(told);
const [, , token = '', leastText = '50'] = process.argv;
const leastMs = Number(leastText);

const dir = mkdtempSync(join(tmpdir(), 'kubette-fuzz-'));
const pki = await ensurePki(dir, { clock: realClock });
const store = createMemoryStore();
const server = await startApiServer({
  store,
  pki,
  tokens: new Map([[token, { name: 'admin', groups: ['system:masters'] }]]),
  bindAddress: '127.0.0.1',
  securePort: 0,
});

const epoch = (): number => performance.timeOrigin + performance.now();
const worked = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
let last = { at: epoch(), worked: worked() };
setInterval(() => {
  const now = { at: epoch(), worked: worked() };
  // On a busy machine the loop also waits for the processor: that is nobody's fault here.
  const ms = Math.min(now.at - last.at - LOOK_MS, now.worked - last.worked);
  if (ms > leastMs) tell({ held: [last.at, now.at, ms] });
  last = now;
}, LOOK_MS);

/** Without the past that a store keeps for some minutes: what grows for ever is looked for. */
async function tellMemory(): Promise<void> {
  await store.compact(store.observed());
  globalThis.gc?.();
  tell({ memoryBytes: process.memoryUsage().heapUsed + process.memoryUsage().external });
}

process.on('message', message => {
  if (message === 'memory') void tellMemory();
});
process.once('disconnect', () => {
  void server.close().finally(() => {
    rmSync(dir, { recursive: true, force: true });
    process.exit(0);
  });
});
tell({ ready: { port: server.port, ca: pki.ca.cert } });
