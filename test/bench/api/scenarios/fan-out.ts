import { realClock } from '../../../../src/machinery/clock.js';
import type { Ask } from '../connection.js';
import { metered, nowUs } from '../meter.js';
import { configMap, MAPS, ONE_KB } from '../objects.js';
import { openMany } from '../pool.js';
import { scaled } from '../scale.js';
import { row, type Figures, type Scenario } from '../scenario.js';
import { createAll, withNamespace } from '../stored.js';
import type { Server, Target } from '../target.js';
import { Watchers } from '../watchers.js';

const PER_SECOND = 50;
const SECONDS = scaled(8);
const WARM_UP_SECONDS = 1;
const WRITERS = 16;
/** Nothing has come for so long: nothing will. */
const SILENCE_MS = 1_000;
const WATCHED = `labelSelector=fan%3Dout`;

type Writer = () => { readonly ask: Ask; readonly answered?: () => void };

interface FanOut {
  readonly name: string;
  readonly what: string;
  readonly watchers: number;
  readonly reach?: { readonly p50: number; readonly p99: number; readonly perSecond?: number };
  /** So many ConfigMaps there are before. */
  readonly objects: number;
  /** Of one run: the next write, which is one event of each watcher. */
  readonly writer: () => Writer;
}

/** As one of those that are watched; what was sent when is a part of it. */
const watched = (name: string): string => configMap(name, { text: ONE_KB, 'sent-us': String(nowUs()) }, { fan: 'out' });

/** Writes at a steady rate, answered or not: a slow server does not get fewer. */
async function writeSteadily(server: Server, seconds: number, write: Writer): Promise<void> {
  const free = await openMany(server.endpoint, WRITERS);
  const all = [...free];
  const begun = performance.now();
  const sent: Promise<void>[] = [];
  for (let i = 0; i < seconds * PER_SECOND; i++) {
    const due = begun + (i * 1000) / PER_SECOND;
    while (performance.now() < due || free.length === 0) await realClock.sleep(1);
    const connection = free.pop();
    if (connection === undefined) continue;
    const { ask, answered } = write();
    const sending = connection.send(ask).then(() => {
      free.push(connection);
      answered?.();
    });
    // What fails is told at the end.
    sending.catch(() => undefined);
    sent.push(sending);
  }
  await Promise.all(sent);
  for (const connection of all) connection.close();
}

/** Until each watcher has had all events, or none comes any more. */
async function untilDelivered(watchers: Watchers, expected: number): Promise<void> {
  for (;;) {
    const { added, modified, deleted, lastUs } = await watchers.count();
    if (added + modified + deleted >= expected || nowUs() - lastUs > SILENCE_MS * 1000) return;
    await realClock.sleep(20);
  }
}

function fanOut({ name, what, watchers: count, reach, objects, writer }: FanOut): Scenario {
  const path = `${MAPS}?watch=1&${WATCHED}`;
  const measure = async ({ server }: Target): Promise<Figures> => {
    const watchers = Watchers.start();
    const write = writer();
    try {
      await watchers.open(server.endpoint, count, path);
      await writeSteadily(server, WARM_UP_SECONDS, write);
      await untilDelivered(watchers, Infinity);
      await watchers.reset();
      const begunUs = nowUs();
      const expected = SECONDS * PER_SECOND * count;
      const { cpuMs } = await metered(server, async () => {
        await writeSteadily(server, SECONDS, write);
        await untilDelivered(watchers, expected);
      });
      const { p50, p99, added, modified, deleted, lastUs, lost, driver } = await watchers.report();
      const delivered = added + modified + deleted;
      const cpu = cpuMs === undefined ? undefined : cpuMs / delivered;
      return {
        [`${name}-p50`]: { value: p50, driver },
        [`${name}-p99`]: { value: p99, driver },
        [`${name}-rate`]: { value: delivered / ((lastUs - begunUs) / 1e6), cpuMs: cpu, driver },
        [`${name}-lost`]: { value: lost },
      };
    } finally {
      await watchers.stop();
    }
  };
  return {
    name,
    rows: [
      row(`${name}-p50`, `${what}: p50`, 'ms', reach?.p50),
      row(`${name}-p99`, `${what}: p99`, 'ms', reach?.p99),
      row(`${name}-rate`, `${what}: deliveries`, 'per s', reach?.perSecond),
      row(`${name}-lost`, `${what}: watches ended by the server`, ''),
    ],
    runs: 1,
    async prepare({ server }) {
      await withNamespace(server);
      await createAll(server, MAPS, objects, i => watched(`${name}-${i}`));
    },
    run: measure,
  };
}

const patches = (watchers: number, reach: FanOut['reach']): Scenario => {
  const name = `fanout-${watchers}`;
  const objects = 50;
  return fanOut({
    name,
    what: `watch: ${watchers.toLocaleString('en')} watchers × ${PER_SECOND} patches a second`,
    watchers,
    ...(reach === undefined ? {} : { reach }),
    objects,
    writer: () => {
      let i = 0;
      return () => ({
        ask: {
          method: 'PATCH',
          path: `${MAPS}/${name}-${i++ % objects}`,
          type: 'application/merge-patch+json',
          body: JSON.stringify({ data: { 'sent-us': String(nowUs()) } }),
        },
      });
    },
  });
};

/** Every other write deletes what was created some writes before. */
function churn(watchers: number): Scenario {
  let runs = 0;
  return fanOut({
    name: `churn-${watchers}`,
    what: `watch: ${watchers.toLocaleString('en')} watchers × ${PER_SECOND} creates and deletes a second`,
    watchers,
    objects: 0,
    writer: () => {
      const created: string[] = [];
      const run = runs++;
      let i = 0;
      return () => {
        const old = i++ % 2 === 1 ? created.shift() : undefined;
        if (old !== undefined) return { ask: { method: 'DELETE', path: `${MAPS}/${old}` } };
        const name = `churn-${watchers}-${run}-${i}`;
        return { ask: { method: 'POST', path: MAPS, body: watched(name) }, answered: () => created.push(name) };
      };
    },
  });
}

export const FAN_OUT: readonly Scenario[] = [
  patches(100, { p50: 4, p99: 9 }),
  patches(1_000, { p50: 25, p99: 120, perSecond: 50_000 }),
  churn(1_000),
];
