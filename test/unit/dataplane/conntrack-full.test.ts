import t from 'tap';
import { createConntrack } from '../../../src/dataplane/kernel/conntrack.js';
import type { ConntrackEntry } from '../../../src/dataplane/kernel/flow.js';
import type { Tuple } from '../../../src/dataplane/packet.js';
import { FakeClock } from '../../../src/machinery/clock.js';

t.test('a full table of flows gives up what is unanswered or over, and nothing else', async t => {
  const tuple = (i: number): Tuple => ({
    protocol: 'udp',
    src: '10.244.1.2',
    srcPort: i,
    dst: '10.96.0.10',
    dstPort: 53,
  });
  const fill = (each: (table: ReturnType<typeof createConntrack>, i: number) => void) => {
    const table = createConntrack(new FakeClock(), 100);
    for (let i = 0; i < 100; i++) each(table, i);
    const fresh = table.create(tuple(1000));
    return { taken: table.confirm(fresh), size: table.entries().length };
  };
  t.same(
    fill((table, i) => void table.confirm(table.create(tuple(i)))),
    { taken: true, size: 100 },
    'datagrams that nobody answers',
  );
  const tcp = (state: NonNullable<ConntrackEntry['tcpState']>) =>
    fill((table, i) => {
      const entry = table.create({ ...tuple(i), protocol: 'tcp' });
      Object.assign(entry, { assured: true, tcpState: state });
      table.confirm(entry);
    });
  for (const state of ['FIN_WAIT', 'TIME_WAIT', 'CLOSE'] as const)
    t.same(tcp(state), { taken: true, size: 100 }, `connections in ${state}`);
  t.same(tcp('ESTABLISHED'), { taken: false, size: 100 }, 'open connections stay');
});
