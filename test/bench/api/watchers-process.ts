import { quantile } from '../table.js';
import type { Connection } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { EventScanner } from './event-scanner.js';
import { nowUs } from './meter.js';
import { openMany } from './pool.js';
import type { FromWatchers, ToWatchers } from './watchers.js';

/*
 * Many watchers, as a process of its own: what they take of a core is not taken from who writes. `watchers.ts` speaks to it.
 */
let delays: number[] = [];
let seen = { added: 0, modified: 0, deleted: 0 };
let lastUs = 0;
let lost = 0;
let cpu = process.cpuUsage();
let since = performance.now();

const tell = (message: FromWatchers): void => void process.send?.(message);

/** What part of a core was used since it was asked before. */
function driver(): number {
  const { user, system } = process.cpuUsage(cpu);
  const share = (user + system) / 1000 / (performance.now() - since);
  cpu = process.cpuUsage();
  since = performance.now();
  return share;
}

async function open(to: Endpoint, count: number, path: string): Promise<void> {
  driver();
  const begun = performance.now();
  let synced = 0;
  const start = async (connection: Connection): Promise<void> => {
    const scanner = new EventScanner({
      event(type, sentUs) {
        seen[type]++;
        lastUs = nowUs();
        // An object that is deleted still says when it was created.
        if (sentUs > 0 && type !== 'deleted') delays.push((lastUs - sentUs) / 1000);
      },
      synced() {
        if (++synced === count) tell({ synced: performance.now() - begun, driver: driver() });
      },
    });
    await connection.watch(
      { path },
      bytes => scanner.push(bytes),
      () => lost++,
    );
  };
  const connections = await openMany(to, count);
  await Promise.all(connections.map(start));
  tell({ opened: connections.length });
}

process.on('message', (message: ToWatchers) => {
  if ('open' in message) {
    open(message.open, message.count, message.path).catch((error: unknown) => {
      process.stderr.write(`watchers: ${String(error)}\n`);
      process.exit(1);
    });
    return;
  }
  if (message.ask === 'report') {
    const [p50, p99, max] = [0.5, 0.99, 1].map(q => quantile(delays, q)) as [number, number, number];
    tell({ report: { ...seen, p50, p99, max, lastUs, lost, driver: driver() } });
  } else {
    tell({ counted: { ...seen, lastUs } });
    if (message.ask === 'count') return;
    driver();
    delays = [];
    seen = { added: 0, modified: 0, deleted: 0 };
  }
});
