import { once } from 'node:events';
import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { createBacklog } from '../../../src/server/watch-stream/backlog.js';
import { startFakeApi } from '../../support/fake-api.js';

t.test('what watchers do not take is bounded: each of them, all together, and in time', async t => {
  const limits = { bytes: 100, totalBytes: 250, stallMs: 60_000 };
  const rows: {
    name: string;
    /** Who is told of how much; negative: takes it. */
    steps: readonly (readonly [who: number, bytes: number])[];
    waitMs?: number;
    cut: readonly number[];
    total: number;
  }[] = [
    {
      name: 'one that takes everything',
      steps: [
        [0, 90],
        [0, -90],
        [0, 90],
      ],
      cut: [],
      total: 90,
    },
    {
      name: 'one that takes nothing',
      steps: [
        [0, 90],
        [0, 20],
      ],
      cut: [0],
      total: 0,
    },
    {
      name: 'all together: the worst goes',
      steps: [
        [0, 80],
        [1, 95],
        [2, 60],
        [3, 30],
      ],
      cut: [1],
      total: 170,
    },
    { name: 'nothing taken for a while', steps: [[0, 10]], waitMs: 60_000, cut: [0], total: 0 },
    {
      name: 'nothing owed for a while',
      steps: [
        [0, 10],
        [0, -10],
      ],
      waitMs: 60_000,
      cut: [],
      total: 0,
    },
    {
      name: 'what comes after the end is not counted',
      steps: [
        [0, 200],
        [0, 50],
        [0, -50],
      ],
      cut: [0],
      total: 0,
    },
  ];
  for (const { name, steps, waitMs = 0, cut, total } of rows) {
    const clock = new FakeClock();
    const backlog = createBacklog(clock, limits);
    const ended: number[] = [];
    const accounts = [0, 1, 2, 3].map(i => backlog.open(() => void ended.push(i)));
    for (const [who, bytes] of steps) {
      if (bytes > 0) accounts[who]?.add(bytes);
      else accounts[who]?.take(-bytes);
    }
    clock.step(waitMs);
    t.same(ended, cut, name);
    t.equal(backlog.total(), total, `${name}: what is left`);
    for (const account of accounts) account.close();
    t.equal(backlog.total(), 0, `${name}: nothing when all are gone`);
  }
});

t.test('a watcher that stops reading loses its connection; one that reads does not', async t => {
  const api = await startFakeApi({ backlog: { bytes: 1 << 20, totalBytes: 4 << 20, stallMs: 60_000 } });
  t.teardown(() => api.close());
  const fake = api.registry('configmaps');
  const watch = async (): Promise<Awaited<ReturnType<typeof api.socket>>> => {
    const socket = await api.socket();
    socket.on('error', () => undefined);
    socket.write('GET /api/v1/namespaces/d/configmaps?watch=true HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    return socket;
  };
  const [still, reading] = [await watch(), await watch()];
  let taken = 0;
  reading.on('data', (chunk: Buffer) => (taken += chunk.length));
  still.pause();
  t.equal(fake.listeners.size, 2);
  const text = 'x'.repeat(256 << 10);
  let written = 0;
  while (fake.listeners.size > 1 && written < 200) {
    fake.put('d', { metadata: { name: 'big' }, data: { text } }, 'MODIFIED');
    written++;
    // As long as the kernel takes what is written to the other one.
    while (taken < written * text.length) await new Promise(resolve => setImmediate(resolve));
  }
  t.equal(fake.listeners.size, 1, 'its watch has ended');
  t.ok(api.context.backlog.total() < 1 << 20, 'and what it did not take is gone');
  while ((await api.connections()) > 1) await new Promise(resolve => setImmediate(resolve));
  fake.put('d', { metadata: { name: 'small' } });
  const before = taken;
  while (taken === before) await once(reading, 'data');
  t.pass('the other one goes on');
  still.destroy();
  reading.destroy();
});
