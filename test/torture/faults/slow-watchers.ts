import type { IncomingMessage } from 'node:http';
import { CONFIG_MAPS } from '../../../src/client/resources.js';
import { createClient } from '../../../src/client/rest-client.js';
import { createTransport } from '../../../src/client/transport.js';
import { realClock } from '../../../src/machinery/clock.js';
import type { ConfigMap } from '../../../src/machinery/types.js';
import { memoryOf } from '../../bench/memory.js';
import { eventually } from '../../support/up.js';
import { createVictim } from '../kills/server.js';

const [READERS, STALLED] = [3, 12];
const [CHANGES, OBJECT_BYTES] = [60, 900 << 10];
/** What one may leave lying is 8 MB, what all may is 64 MB. */
const MOST_MB = 500;
const PATIENCE_MS = 30_000;

/** How often a text comes, also where it comes in two parts. */
function counter(text: string) {
  let [count, rest] = [0, ''];
  return {
    count: () => count,
    take(chunk: string) {
      const all = rest + chunk;
      let at = 0;
      for (let next = all.indexOf(text); next >= 0; next = all.indexOf(text, at)) {
        count++;
        at = next + text.length;
      }
      rest = all.slice(Math.max(at, all.length - text.length + 1));
    },
  };
}

/**
 * Watchers that do not read, beside some that do, while a large object changes again and again: those who do not are ended, those
 * who do are told everything once, and the server does not keep for the former what it has sent.
 */
export async function slowWatchers(dataDir: string): Promise<{ problems: string[]; mostMb: number }> {
  const problems: string[] = [];
  const victim = await createVictim(dataDir);
  await victim.start();
  const config = await victim.config();
  const client = createClient(config, 'torture');
  const transport = createTransport(config, 'torture');
  const maps = client.resource<ConfigMap>(CONFIG_MAPS);
  const watch = (): Promise<IncomingMessage> =>
    transport.open({
      method: 'GET',
      path: '/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=0',
      idleTimeoutMs: 0,
    });
  const follow = async (): Promise<ReturnType<typeof counter>> => {
    const modified = counter('"type":"MODIFIED"');
    const answer = await watch();
    answer.setEncoding('utf8').on('data', (chunk: string) => modified.take(chunk));
    return modified;
  };
  try {
    await maps.create('default', { metadata: { name: 'large' }, data: { text: 'x'.repeat(OBJECT_BYTES) } });
    const readers = await Promise.all(Array.from({ length: READERS }, follow));
    // Nobody listens to their data, so that nothing is read but what the kernel takes.
    const stalled = await Promise.all(Array.from({ length: STALLED }, watch));
    let mostMb = 0;
    for (let i = 0; i < CHANGES; i++) {
      await maps.patch({ namespace: 'default', name: 'large' }, { data: { i: String(i) } }, { type: 'merge' });
      mostMb = Math.max(mostMb, memoryOf(victim.pid).rss);
    }
    await eventually(
      'readers to be told everything',
      async () => readers.map(({ count }) => count()),
      counts => counts.every(count => count >= CHANGES),
    ).catch((error: Error) => problems.push(error.message));
    for (const { count } of readers)
      if (count() > CHANGES) problems.push(`${count()} changes were told, of ${CHANGES}`);
    if (mostMb > MOST_MB) problems.push(`${mostMb.toFixed(0)} MB were resident`);
    for (const answer of stalled) {
      const told = await Promise.race([readToEnd(answer), patience(PATIENCE_MS)]);
      if (told === undefined) problems.push('one who did not read was not ended');
      else if (told >= CHANGES) problems.push(`one who did not read was told ${told} of ${CHANGES}`);
    }
    return { problems, mostMb };
  } finally {
    transport.close();
    client.close();
    await victim.kill();
  }
}

const patience = (ms: number): Promise<undefined> =>
  realClock.sleep(ms, undefined, { unref: true }).then(() => undefined);

/** What was sent to one who reads at last, until the server's end of it. */
function readToEnd(answer: IncomingMessage): Promise<number> {
  const modified = counter('"type":"MODIFIED"');
  return new Promise(resolve => {
    answer.setEncoding('utf8').on('data', (chunk: string) => modified.take(chunk));
    // However it ends: cut off, it fails.
    answer.once('error', () => undefined);
    answer.once('close', () => resolve(modified.count()));
  });
}
