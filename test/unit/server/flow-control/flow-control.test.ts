import t from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { MANDATORY_FLOW_CONTROL } from '../../../../src/server/bootstrap/flow-control.js';
import { FLOW_CONTROL } from '../../../../src/server/bootstrap/system-objects.js';
import { createDroppedRequests } from '../../../../src/server/flow-control/dropped-requests.js';
import { createFlowControl, type FlowControl } from '../../../../src/server/flow-control/flow-control.js';
import { followObjects, SCHEMAS, type DanglingCondition } from '../../../../src/server/flow-control/follow.js';
import type { Asked, FlowSchema, PriorityLevel } from '../../../../src/server/flow-control/types.js';
import { createWatchTracker } from '../../../../src/server/flow-control/watch-tracker.js';
import { createWorkEstimator } from '../../../../src/server/flow-control/work-estimate.js';
import { parseRequestInfo, type RequestInfo } from '../../../../src/server/pipeline/request-info.js';
import { TooManyRequestsError } from '../../../../src/server/pipeline/too-many-requests.js';

const objects = (kind: string): unknown[] =>
  FLOW_CONTROL.filter(({ object }) => object.kind === kind).map(({ object }) => ({
    ...object,
    metadata: { ...object.metadata, uid: `uid of ${object.metadata.name ?? ''}` },
  }));
const LEVELS = objects('PriorityLevelConfiguration') as PriorityLevel[];
const FLOW_SCHEMAS = objects('FlowSchema') as FlowSchema[];

const info = (method: string, path: string, query = ''): RequestInfo =>
  parseRequestInfo(method, path, new URLSearchParams(query));

function create(serverLimit: number, clock = new FakeClock(), onQuiet = (): void => undefined): FlowControl {
  const control = createFlowControl({
    clock,
    soon: callback => callback(),
    serverLimit,
    mandatory: MANDATORY_FLOW_CONTROL,
    stored: () => undefined,
    onQuiet,
  });
  control.configuration.digest(LEVELS, FLOW_SCHEMAS);
  return control;
}

const AUTHENTICATED = 'system:authenticated';
const USERS = {
  admin: { name: 'admin', groups: ['system:masters', AUTHENTICATED] },
  bob: { name: 'bob', groups: [AUTHENTICATED] },
  eve: { name: 'eve', groups: [AUTHENTICATED] },
  node: { name: 'system:node:n', groups: ['system:nodes', AUTHENTICATED] },
  manager: { name: 'system:kube-controller-manager', groups: [AUTHENTICATED] },
  robot: { name: 'system:serviceaccount:kube-system:robot', groups: ['system:serviceaccounts', AUTHENTICATED] },
  account: { name: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts', AUTHENTICATED] },
  nobody: { name: 'x', groups: [] },
};

t.test('requests belong to the first schema that matches', t => {
  const { configuration } = create(600);
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/l';
  const cases: {
    user: keyof typeof USERS;
    method: string;
    path: string;
    schema: string;
    level: string;
    flow: string;
  }[] = [
    { user: 'admin', method: 'GET', path: '/api/v1/pods', schema: 'exempt', level: 'exempt', flow: '' },
    { user: 'bob', method: 'GET', path: '/readyz', schema: 'probes', level: 'exempt', flow: '' },
    { user: 'bob', method: 'GET', path: '/readyz/ping', schema: 'probes', level: 'exempt', flow: '' },
    { user: 'bob', method: 'GET', path: '/readyzzz', schema: 'global-default', level: 'global-default', flow: 'bob' },
    {
      user: 'bob',
      method: 'GET',
      path: '/api/v1/pods',
      schema: 'global-default',
      level: 'global-default',
      flow: 'bob',
    },
    {
      user: 'node',
      method: 'PUT',
      path: '/api/v1/nodes/n/status',
      schema: 'system-node-high',
      level: 'node-high',
      flow: 'system:node:n',
    },
    { user: 'node', method: 'PUT', path: lease, schema: 'system-node-high', level: 'node-high', flow: 'system:node:n' },
    {
      user: 'node',
      method: 'GET',
      path: '/api/v1/namespaces/a/pods/p',
      schema: 'system-nodes',
      level: 'system',
      flow: 'system:node:n',
    },
    {
      user: 'manager',
      method: 'PUT',
      path: lease,
      schema: 'system-leader-election',
      level: 'leader-election',
      flow: USERS.manager.name,
    },
    {
      user: 'manager',
      method: 'DELETE',
      path: lease,
      schema: 'kube-controller-manager',
      level: 'workload-high',
      flow: 'kube-system',
    },
    {
      user: 'robot',
      method: 'GET',
      path: '/api/v1/namespaces/b/pods',
      schema: 'kube-system-service-accounts',
      level: 'workload-high',
      flow: 'b',
    },
    {
      user: 'account',
      method: 'GET',
      path: '/api/v1/namespaces/b/pods',
      schema: 'service-accounts',
      level: 'workload-low',
      flow: USERS.account.name,
    },
    { user: 'nobody', method: 'GET', path: '/api/v1/pods', schema: 'catch-all', level: 'catch-all', flow: 'x' },
  ];
  for (const { user, method, path, ...expect } of cases) {
    const asked = info(method, path);
    const found = configuration.classify(asked, USERS[user]);
    const got = { schema: found.name, level: found.level.name, flow: found.distinguish(asked, USERS[user]) };
    t.same(got, expect, `${user} ${method} ${path}`);
  }
  t.end();
});

t.test('levels have the seats that a new kube-apiserver 1.35 gives them', t => {
  const { configuration } = create(600);
  const seats = Object.fromEntries(
    [...configuration.levels.values()].map(l => [l.name, [l.nominal, l.lower, l.upper, l.current, l.maxSeats]]),
  );
  t.same(seats, {
    exempt: [0, 0, 600, 0, 0],
    'catch-all': [13, 13, 613, 30, 0],
    system: [74, 50, 674, 117, 12],
    'node-high': [98, 73, 698, 170, 15],
    'leader-election': [25, 25, 625, 58, 4],
    'workload-high': [98, 49, 698, 114, 15],
    'workload-low': [245, 24, 845, 56, 37],
    'global-default': [49, 24, 649, 56, 8],
  });
  t.end();
});

const ask = (user: keyof typeof USERS, path = '/api/v1/namespaces/a/pods/p'): Asked => ({
  info: info('GET', path),
  user: USERS[user],
  request: { query: new URLSearchParams() },
  limitMs: 60_000,
});

/** One queue for everybody, so that the tests below need no hands; one seat. */
const narrow = (queueLengthLimit: number): PriorityLevel[] =>
  LEVELS.map(level =>
    level.metadata.name !== 'global-default'
      ? level
      : {
          ...level,
          spec: {
            type: 'Limited',
            limited: {
              nominalConcurrencyShares: 20,
              lendablePercent: 0,
              borrowingLimitPercent: 0,
              limitResponse: { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit } },
            },
          },
        },
  );

function oneSeat(queueLengthLimit = 10) {
  const clock = new FakeClock();
  const control = create(1, clock);
  control.configuration.digest(narrow(queueLengthLimit), FLOW_SCHEMAS);
  const level = control.configuration.levels.get('global-default');
  return { clock, control, level };
}

t.test('who has no seat waits for it, and whose turn never comes is told when to come again', async t => {
  const { clock, control, level } = oneSeat();
  t.equal(level?.current, 1);
  const asked = ask('bob');
  const first = control.enter(asked);
  t.same(asked.classification, { schemaUid: 'uid of global-default', levelUid: 'uid of global-default' });
  t.equal(first.turn, undefined, 'the first one does not wait');
  const second = control.enter(ask('bob'));
  const late = control.enter(ask('eve')).turn?.catch((error: unknown) => error);
  t.equal(control.enter(ask('admin')).turn, undefined, 'what is exempt does not wait');
  first.release();
  first.release();
  await second.turn;
  clock.step(15_000);
  t.match(await late, { name: 'TooManyRequestsError', retryAfterSeconds: 1 });
  second.release();
  t.equal(level?.queueSet.isIdle(), true);
  const text = control.metrics.families.map(family => family.render()).join('');
  t.match(
    text,
    'apiserver_flowcontrol_rejected_requests_total{flow_schema="global-default",priority_level="global-default",reason="time-out"} 1',
  );
  t.match(
    text,
    'apiserver_flowcontrol_dispatched_requests_total{flow_schema="global-default",priority_level="global-default"} 2',
  );
  t.match(
    text,
    'apiserver_flowcontrol_request_wait_duration_seconds_count{execute="false",flow_schema="global-default",priority_level="global-default"} 1',
  );
  t.match(text, 'apiserver_flowcontrol_nominal_limit_seats{priority_level="global-default"} 1');
});

t.test('a client that goes leaves the queue, and a full queue refuses', async t => {
  const { control, level } = oneSeat(1);
  control.enter(ask('bob'));
  const seat = control.enter(ask('bob'));
  const gone = seat.turn?.catch((e: unknown) => e);
  t.throws(() => control.enter(ask('bob')), TooManyRequestsError);
  seat.release();
  seat.release();
  t.type(await gone, TooManyRequestsError);
  t.equal(level?.queueSet.totals.waiting, 0);
  const text = control.metrics.families.map(family => family.render()).join('');
  t.match(text, 'reason="queue-full"} 1');
});

t.test('how many watches a write has to tell is counted for its flow', t => {
  const control = create(100, new FakeClock());
  control.watching(info('GET', '/api/v1/pods', 'watch=1'), undefined);
  control.enter({ ...ask('bob'), info: info('POST', '/api/v1/namespaces/a/pods') });
  const text = control.metrics.families.map(family => family.render()).join('');
  const labels = 'flow_schema="global-default",priority_level="global-default"';
  t.match(text, `apiserver_flowcontrol_watch_count_samples_bucket{${labels},le="0"} 0\n`);
  t.match(text, `apiserver_flowcontrol_watch_count_samples_bucket{${labels},le="1"} 1\n`);
  t.end();
});

t.test('seats go to the levels that need them, and come back', t => {
  const clock = new FakeClock();
  const control = create(100, clock);
  const { configuration } = control;
  const level = (name: string) => configuration.levels.get(name);
  for (let i = 0; i < 200; i++)
    control.enter(ask('account', `/api/v1/namespaces/n${i}/pods/p`)).turn?.catch(() => undefined);
  const before = level('workload-low')?.current ?? 0;
  clock.step(10_000);
  configuration.adjust();
  const busy = level('workload-low')?.current ?? 0;
  t.ok(busy > before && busy > (level('workload-low')?.nominal ?? 0), `${before}, then ${busy}`);
  const sum = [...configuration.levels.values()].reduce((all, l) => all + (l.current ?? 0), 0);
  t.ok(sum <= 110, `all levels together have ${sum} of 100 seats, but for rounding`);
  for (const l of configuration.levels.values())
    t.ok((l.current ?? 0) >= l.lower, `${l.name} keeps what it does not lend`);
  t.end();
});

t.test('a level that is gone serves those who are in it, and then goes', async t => {
  let quiet = 0;
  const clock = new FakeClock();
  const control = create(600, clock, () => quiet++);
  const { configuration } = control;
  const seat = control.enter(ask('account'));
  t.equal(seat.turn, undefined);
  const others = LEVELS.filter(({ metadata }) => metadata.name !== 'workload-low');
  const dangling = configuration.digest(others, FLOW_SCHEMAS);
  t.same(
    [...dangling].map(({ metadata }) => metadata.name),
    ['service-accounts'],
  );
  t.equal(configuration.levels.get('workload-low')?.quiescing, true);
  t.equal(configuration.classify(info('GET', '/api/v1/pods'), USERS.account).name, 'global-default');
  seat.release();
  t.equal(quiet, 1);
  configuration.digest(others, FLOW_SCHEMAS);
  t.notOk(configuration.levels.has('workload-low'));
  configuration.digest([], []);
  t.same(
    [...configuration.levels.keys()].sort(),
    ['catch-all', 'exempt'],
    'what is mandatory counts without being stored',
  );
  t.equal(configuration.classify(info('GET', '/api/v1/pods'), USERS.admin).name, 'exempt');
});

t.test('stored objects count at once, and schemas say whether their level is there', async t => {
  const clock = new FakeClock();
  const control = create(600, clock);
  const stored = { levels: LEVELS.slice(), schemas: FLOW_SCHEMAS.slice() };
  const listeners: (() => void)[] = [];
  const written: [string, DanglingCondition][] = [];
  const signal = new AbortController();
  followObjects({
    objects: { list: resource => (resource === SCHEMAS ? stored.schemas : stored.levels) as never },
    configuration: control.configuration,
    clock,
    signal: signal.signal,
    onChange: (_resource, changed) => listeners.push(changed),
    writeCondition: async (name, condition) => {
      written.push([name, condition]);
      stored.schemas = stored.schemas.map(schema =>
        schema.metadata.name === name ? { ...schema, status: { conditions: [condition] } } : schema,
      );
    },
    onError: error => t.fail(String(error)),
  });
  const settled = async (): Promise<void> => {
    clock.step(0);
    for (let i = 0; i < 100; i++) await Promise.resolve();
  };
  await settled();
  t.equal(written.length, FLOW_SCHEMAS.length);
  t.match(written[0]?.[1], {
    type: 'Dangling',
    status: 'False',
    reason: 'Found',
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "exempt" and it exists',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  written.length = 0;
  stored.levels = stored.levels.filter(({ metadata }) => metadata.name !== 'workload-low');
  for (const changed of listeners) changed();
  await settled();
  t.match(written, [
    [
      'service-accounts',
      {
        status: 'True',
        reason: 'NotFound',
        message:
          'This FlowSchema references the PriorityLevelConfiguration object named "workload-low" but there is no such object',
      },
    ],
  ]);
  t.equal(control.configuration.classify(info('GET', '/api/v1/pods'), USERS.account).name, 'global-default');
  signal.abort();
});

t.test('requests take seats by what they are thought to cost', t => {
  const watches = createWatchTracker();
  const estimate = createWorkEstimator({
    watches,
    stored: (_group, resource) =>
      resource === 'pods'
        ? { objects: 1000, bytes: 5_000_000 }
        : resource === 'secrets'
          ? { objects: 10, bytes: 1000 }
          : undefined,
  });
  for (let i = 0; i < 25; i++) watches.register(info('GET', '/api/v1/pods', 'watch=1'), undefined);
  watches.register(info('GET', '/api/v1/pods', 'watch=1'), [{ field: 'spec.nodeName', operator: '=', value: 'n' }]);
  const pods = '/api/v1/namespaces/a/pods';
  const cases: {
    name: string;
    method?: string;
    path: string;
    query?: string;
    max?: number;
    expect: [number, number, number];
  }[] = [
    { name: 'one object', path: `${pods}/p`, expect: [1, 0, 0] },
    { name: 'a list is streamed from memory', path: pods, expect: [10, 0, 0] },
    { name: 'a list in a level that allows less', path: pods, max: 4, expect: [4, 0, 0] },
    { name: 'a page', path: pods, query: 'limit=100', expect: [5, 0, 0] },
    {
      name: 'the next page, which upstream reads from etcd',
      path: pods,
      query: 'limit=500&continue=x',
      expect: [25, 0, 0],
    },
    { name: 'and with a selector', path: pods, query: 'limit=10&continue=x&labelSelector=a', expect: [25, 0, 0] },
    { name: 'at a revision', path: pods, query: 'resourceVersion=5&resourceVersionMatch=Exact', expect: [50, 0, 0] },
    { name: 'few and small ones', path: '/api/v1/secrets', expect: [1, 0, 0] },
    { name: 'what is not ours', path: '/apis/x.y/v1/zs', expect: [1, 0, 0] },
    { name: 'a limit that is none', path: pods, query: 'limit=x', expect: [100, 0, 0] },
    { name: 'a watch from a revision', path: pods, query: 'watch=1&resourceVersion=5', expect: [1, 0, 0] },
    {
      name: 'a watch that begins with a list',
      path: pods,
      query: 'watch=1&resourceVersion=5&sendInitialEvents=true',
      expect: [10, 0, 0],
    },
    { name: 'a watch from the start', path: pods, query: 'watch=1', expect: [10, 0, 0] },
    { name: 'a write that 25 are told of', method: 'POST', path: pods, expect: [1, 3, 5] },
    { name: 'a write in a level that allows less', method: 'POST', path: pods, max: 2, expect: [1, 2, 7.5] },
    { name: 'a write that nobody is told of', method: 'POST', path: '/api/v1/namespaces/a/secrets', expect: [1, 0, 0] },
    { name: 'many at once', method: 'DELETE', path: pods, expect: [1, 0, 0] },
  ];
  const told: number[] = [];
  for (const { name, method = 'GET', path, query = '', max = 0, expect } of cases) {
    const asked = [info(method, path, query), new URLSearchParams(query), max] as const;
    const { initialSeats, finalSeats, lingerMs } = estimate(...asked, { watched: count => told.push(count) });
    t.same([initialSeats, finalSeats, lingerMs], expect, name);
  }
  t.same(told, [25, 25, 0], 'writes of single objects tell how many watches there are');
  t.end();
});

t.test('watches count for what they see, until they end', t => {
  const watches = createWatchTracker();
  const ends = ['/api/v1/pods', '/api/v1/namespaces/a/pods', '/api/v1/namespaces/b/pods', '/apis/x/v1/pods'].map(path =>
    watches.register(info('GET', path, 'watch=1'), undefined),
  );
  const interested = (path: string): number => watches.interested(info('PUT', path));
  t.equal(interested('/api/v1/namespaces/a/pods/p'), 2);
  t.equal(interested('/api/v1/namespaces/c/pods/p'), 1);
  ends[0]?.();
  ends[0]?.();
  t.equal(interested('/api/v1/namespaces/a/pods/p'), 1);
  t.end();
});

t.test('those who are refused stay away for longer while many are', t => {
  let second = 100;
  const dropped = createDroppedRequests(() => second * 1000);
  const drop = (times: number): number => {
    let last = 0;
    for (let i = 0; i < times; i++) last = dropped.drop('level');
    return last;
  };
  t.equal(drop(1), 1);
  const seen: number[] = [];
  for (; second < 110; second++) seen.push(drop(50));
  t.same(seen, [1, 2, 2, 4, 4, 4, 4, 8, 8, 8]);
  t.equal(dropped.drop('other'), 1, 'each level for itself');
  second += 100;
  t.equal(drop(1), 7, 'and step by step for less long');
  t.end();
});
