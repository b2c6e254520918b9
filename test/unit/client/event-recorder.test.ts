import t from 'tap';
import { createEventCorrelator } from '../../../src/client/event-correlator.js';
import { createEventRecorder } from '../../../src/client/event-recorder.js';
import type { ResourceClient } from '../../../src/client/types.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { CoreEvent } from '../../../src/machinery/types.js';

t.test('events are thinned out', async t => {
  const clock = new FakeClock();
  const event = (message: string, reason = 'Made') => ({
    metadata: { name: `web.${message}`, namespace: 'default' },
    involvedObject: { kind: 'ReplicaSet', namespace: 'default', name: 'web', uid: 'u' },
    reason,
    message,
    type: 'Normal',
    count: 1,
    source: { component: 'c' },
    reportingComponent: 'c',
  });
  t.test('repeats are counted up under the name of the first', async t => {
    const correlator = createEventCorrelator(clock);
    t.match(correlator.correlate(event('a')), { metadata: { name: 'web.a' }, count: 1 });
    t.match(correlator.correlate({ ...event('a'), metadata: { name: 'other' } }), {
      metadata: { name: 'web.a' },
      count: 2,
    });
  });
  t.test('the tenth different message within ten minutes is combined with those after it', async t => {
    const correlator = createEventCorrelator(clock);
    for (let i = 0; i < 9; i++) t.equal(correlator.correlate(event(`m${i}`))?.message, `m${i}`);
    const first = correlator.correlate(event('m9'));
    t.match(first, { message: '(combined from similar events): m9', count: 1 });
    t.equal(first?.reportingComponent, undefined);
    t.match(correlator.correlate(event('m10')), {
      metadata: { name: 'web.m9' },
      message: '(combined from similar events): m10',
      count: 2,
    });
    t.equal(correlator.correlate(event('x', 'Gone'))?.message, 'x', 'another reason is told by itself');
    clock.step(601_000);
    t.equal(correlator.correlate(event('m11'))?.message, 'm11');
  });
  t.test('after 25 at once there is one every five minutes', async t => {
    const correlator = createEventCorrelator(clock);
    const told = (n: number): number =>
      Array.from({ length: n }, () => correlator.correlate(event('same'))).filter(e => e !== undefined).length;
    t.equal(told(30), 25);
    clock.step(300_000);
    t.equal(told(5), 1);
  });
});

t.test(
  'what several components tell of one object in one moment has a name each, at any time later than before',
  async t => {
    const clock = new FakeClock();
    const names: string[] = [];
    const events = {
      create: (_namespace: string, event: CoreEvent) => {
        names.push(event.metadata.name ?? '');
        return Promise.resolve(event);
      },
    } as unknown as ResourceClient<CoreEvent>;
    const recorders = [['scheduler'], ['kubelet', 'node-1'], ['kubelet', 'node-2']].map(([component = '', host = '']) =>
      createEventRecorder({ events, clock, component, host, onError: error => t.fail(error.message) }),
    );
    const pod = { kind: 'Pod', metadata: { name: 'web', namespace: 'default', uid: 'u' } };
    for (const at of [0, 1]) {
      clock.step(at);
      for (const recorder of recorders)
        for (const reason of ['A', 'B']) recorder.event(pod, 'Normal', `${reason}${at}`, 'm');
      await Promise.all(recorders.map(recorder => recorder.flush()));
    }
    t.equal(new Set(names).size, 12);
    t.ok(names.every(name => /^web\.[0-9a-f]{16}$/.test(name)));
    t.ok(names.slice(0, 6).every(name => names.slice(6).every(later => later > name)));
  },
);
