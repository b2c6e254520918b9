import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { createRestartBackoff } from '../../../src/nodeagent/pods/restart-backoff.js';
import { runProbeWorker, type ProbeWorkerOptions } from '../../../src/nodeagent/probes/probe-worker.js';

const HOUR_MS = 3_600_000;

t.test('a back-off lasts as long as it says, wherever the clock on the wall is set meanwhile', async t => {
  for (const jump of [0, HOUR_MS, -HOUR_MS]) {
    const clock = new FakeClock();
    const backoff = createRestartBackoff(clock);
    backoff.next('pod/c', clock.now());
    clock.step(1_000);
    const ended = clock.now();
    t.equal(backoff.remaining('pod/c', ended), 10_000);
    clock.jump(jump);
    clock.step(4_000);
    t.equal(backoff.remaining('pod/c', ended), 6_000, `half-way, set by ${jump} ms`);
    clock.step(6_000);
    t.equal(backoff.remaining('pod/c', ended), 0, `over, set by ${jump} ms`);
  }
});

t.test('a clock that is set back after a container has started does not put off its first probe', async t => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const startedAt = clock.now();
  clock.jump(-HOUR_MS);
  let probed = 0;
  const running = runProbeWorker({
    kind: 'readiness',
    probe: { initialDelaySeconds: 5, tcpSocket: { port: 80 } },
    container: { startedAt },
    clock,
    signal: stop.signal,
    told: () => ({ healthy: true, afterMs: 0 }),
    onChange: () => undefined,
    onResult: () => void probed++,
  } as unknown as ProbeWorkerOptions);
  await clock.advance(5_000);
  t.equal(probed, 1);
  stop.abort(new Error('enough'));
  await running;
});
