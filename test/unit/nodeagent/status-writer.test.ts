import t from 'tap';
import type { ResourceClient } from '../../../src/client/types.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { Pod } from '../../../src/machinery/types.js';
import { createStatusWriter } from '../../../src/nodeagent/pods/status/status-writer.js';
import { pod } from '../../support/simulated-node.js';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

t.test('a status that is written while an earlier one is being finished is sent, and flush waits for it', async t => {
  const lost: number[] = [];
  const unawaited: number[] = [];
  // At whatever moment of the earlier write: before, between and after the steps in which it ends.
  for (let steps = 0; steps < 20; steps++) {
    const sent: unknown[] = [];
    const latest = pod('p', { containers: [] });
    const pods = {
      patch: async (_key: object, patch: { status: { phase: string } }) => {
        sent.push(patch.status.phase);
        return latest;
      },
    } as unknown as ResourceClient<Pod>;
    const writer = createStatusWriter({
      pods,
      latest: () => latest,
      clock: new FakeClock(),
      signal: new AbortController().signal,
      onError: error => t.fail(error.message),
    });
    writer.write({ phase: 'Running' });
    for (let step = 0; step < steps; step++) await Promise.resolve();
    writer.write({ phase: 'Failed' });
    await writer.flush();
    if (!sent.includes('Failed')) unawaited.push(steps);
    await turn();
    if (!sent.includes('Failed')) lost.push(steps);
  }
  t.same(lost, []);
  t.same(unawaited, []);
});
