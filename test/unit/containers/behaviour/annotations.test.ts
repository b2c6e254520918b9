import t from 'tap';
import { createBehaviours } from '../../../../src/containers/behaviour/behaviours.js';
import type { Rule } from '../../../../src/containers/behaviour/rules.js';
import type { Behaviour } from '../../../../src/containers/behaviour/settings.js';
import type { Pod } from '../../../../src/machinery/types.js';

const podOf = (annotations: Record<string, string>, spec: object = {}): Pod => ({
  metadata: { name: 'p', namespace: 'shop', labels: { app: 'web' }, annotations },
  spec: {
    initContainers: [{ name: 'init', image: 'busybox' }],
    containers: [
      { name: 'app', image: 'ghcr.io/acme/app:v1' },
      { name: 'side.car', image: 'nginx' },
    ],
    ...spec,
  },
});

interface Row {
  readonly key: string;
  readonly value: string;
  readonly expect: Behaviour | string;
}

const ROWS: readonly Row[] = [
  { key: 'pull-delay', value: '1m30s', expect: { pullDelay: 90_000 } },
  { key: 'pull-delay', value: '30', expect: 'want a duration as "500ms", "30s" or "1h30m", not "30"' },
  { key: 'pull-delay', value: '-1s', expect: 'want a duration as "500ms", "30s" or "1h30m", not "-1s"' },
  { key: 'pull-delay', value: '900h', expect: 'want a duration as "500ms", "30s" or "1h30m", not "900h"' },
  { key: 'pull-error', value: 'denied', expect: { pullError: 'denied' } },
  {
    key: 'pull-error',
    value: 'yes',
    expect: 'want one of not-found, denied, unauthorized, rate-limited, no-such-host, timeout, not "yes"',
  },
  { key: 'start-delay', value: '0', expect: { startDelay: 0 } },
  {
    key: 'ports',
    value: '80, 53/udp,9000/sctp',
    expect: {
      ports: [
        { port: 80, protocol: 'tcp' },
        { port: 53, protocol: 'udp' },
        { port: 9000, protocol: 'sctp' },
      ],
    },
  },
  {
    key: 'ports',
    value: '80,70000',
    expect: 'want up to 100 ports as "80", "53/udp" or "9000/sctp", comma separated, not "80,70000"',
  },
  {
    key: 'ports',
    value: '80/quic',
    expect: 'want up to 100 ports as "80", "53/udp" or "9000/sctp", comma separated, not "80/quic"',
  },
  { key: 'response-status', value: '503', expect: { responseStatus: 503 } },
  { key: 'response-status', value: '101', expect: 'want a whole number from 200 to 599, not "101"' },
  { key: 'response-body', value: ' as it is ', expect: { responseBody: ' as it is ' } },
  { key: 'log', value: 'a\nb', expect: { log: 'a\nb' } },
  { key: 'readiness', value: 'fail', expect: { readiness: { healthy: false, afterMs: 0 } } },
  { key: 'liveness', value: 'pass after 30s', expect: { liveness: { healthy: true, afterMs: 30_000 } } },
  {
    key: 'startup',
    value: 'fail in 3s',
    expect: 'want "pass", "fail", "pass after 30s" or "fail after 30s", not "fail in 3s"',
  },
  {
    key: 'startup',
    value: 'fail after',
    expect: 'want "pass", "fail", "pass after 30s" or "fail after 30s", not "fail after"',
  },
  { key: 'cpu', value: '250m', expect: { cpu: { amount: 250 } } },
  { key: 'cpu', value: '80%', expect: { cpu: { ofRequest: 0.8 } } },
  { key: 'cpu', value: 'much', expect: 'want a quantity as "250m", or a part of the request as "80%", not "much"' },
  { key: 'memory', value: '1Ki', expect: { memory: { amount: 1024 } } },
  { key: 'memory', value: '-1', expect: 'want a quantity as "64Mi", or a part of the request as "80%", not "-1"' },
  { key: 'exit-code', value: '3', expect: { exitCode: 3 } },
  { key: 'exit-code', value: '256', expect: 'want a whole number from 0 to 255, not "256"' },
  { key: 'exit-code', value: '', expect: 'want a whole number from 0 to 255, not ""' },
  { key: 'exit-cod', value: '3', expect: 'there is no such setting; did you mean "exit-code"?' },
  { key: 'exitCode', value: '3', expect: 'there is no such setting; did you mean "exit-code"?' },
];

t.test('one annotation', async t => {
  for (const { key, value, expect } of ROWS) {
    const pod = podOf({ [`sim.kubette.io/${key}`]: value }, { containers: [{ name: 'app', livenessProbe: {} }] });
    const behaviours = createBehaviours({ rules: [] });
    if (typeof expect === 'string') {
      t.same(behaviours.of(pod, 'app'), {}, `${key}=${value} is as if it were not there`);
      t.equal(behaviours.problems(pod)[0], `sim.kubette.io/${key}: ${expect}`);
    } else {
      t.same(behaviours.of(pod, 'app'), expect, `${key}=${value}`);
      t.same(
        behaviours.problems(pod).filter(problem => !problem.startsWith('container "app" is told')),
        [],
      );
    }
  }
});

t.test('whom an annotation is about', async t => {
  const of = (annotations: Record<string, string>, container: string): Behaviour =>
    createBehaviours({ rules: [] }).of(podOf(annotations), container);
  const all = { 'sim.kubette.io/exit-code': '1' };
  t.same(of(all, 'app'), { exitCode: 1 });
  t.same(of(all, 'side.car'), { exitCode: 1 });
  t.same(of(all, 'init'), {}, 'not an init container, which is named to be meant');
  t.same(of(all, 'nobody'), {});
  t.same(of({ 'sim.kubette.io/init.exit-code': '2' }, 'init'), { exitCode: 2 });
  const both = { ...all, 'sim.kubette.io/side.car.exit-code': '2' };
  t.same([of(both, 'app'), of(both, 'side.car')], [{ exitCode: 1 }, { exitCode: 2 }]);
  t.same(createBehaviours({ rules: [] }).problems(podOf({ 'sim.kubette.io/db.exit-code': '2', other: 'x' })), [
    'sim.kubette.io/db.exit-code: the Pod has no container "db", only init, app, side.car',
  ]);
});

t.test('what means nothing by itself', async t => {
  const problems = createBehaviours({ rules: [] }).problems(
    podOf({
      'sim.kubette.io/app.exit-times': '2',
      'sim.kubette.io/app.readiness': 'fail',
      'sim.kubette.io/app.log-interval': '1s',
    }),
  );
  t.same(problems, [
    'container "app" is told log-interval, which means nothing without log',
    'container "app" is told exit-times, which means nothing without exit-code or exit-after or oom-after',
    'container "app" is told readiness, and has no readinessProbe',
  ]);
});

t.test('rules', async t => {
  const of = (match: Rule['match'], container = 'app'): boolean =>
    'exitCode' in createBehaviours({ rules: [{ match, behaviour: { exitCode: 1 } }] }).of(podOf({}), container);
  const rows: readonly { match: Rule['match']; container?: string; expect: boolean }[] = [
    { match: {}, expect: true },
    { match: {}, container: 'init', expect: false },
    { match: { image: 'ghcr.io/acme/*' }, expect: true },
    { match: { image: 'ghcr.io/acme/app' }, expect: true },
    { match: { image: '*/app:v?' }, expect: true },
    { match: { image: 'app' }, expect: false },
    { match: { image: 'docker.io/library/nginx:latest' }, container: 'side.car', expect: true },
    { match: { image: 'nginx' }, container: 'side.car', expect: true },
    { match: { image: 'busybox' }, container: 'init', expect: true },
    { match: { container: 'in*' }, container: 'init', expect: true },
    { match: { namespace: 'sh*' }, expect: true },
    { match: { namespace: 'default' }, expect: false },
    { match: { labels: { app: 'web' } }, expect: true },
    { match: { labels: { app: 'web', tier: 'x' } }, expect: false },
    { match: { labels: { app: 'web' }, image: 'nginx' }, expect: false },
  ];
  for (const { match, container, expect } of rows)
    t.equal(of(match, container), expect, `${JSON.stringify(match)} ${container ?? ''}`);

  const behaviours = createBehaviours({
    rules: [
      { match: { container: 'app' }, behaviour: { exitCode: 2 } },
      { match: {}, behaviour: { exitCode: 3, exitAfter: 5 } },
    ],
  });
  t.same(behaviours.of(podOf({}), 'app'), { exitCode: 2, exitAfter: 5 }, 'the first that says something counts');
  t.same(
    behaviours.of(podOf({ 'sim.kubette.io/exit-after': '1s' }), 'app'),
    { exitCode: 2, exitAfter: 1000 },
    'annotations beat rules',
  );
});
