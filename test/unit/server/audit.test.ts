import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { JsonObject } from '../../../src/machinery/types.js';
import { createAuditor } from '../../../src/server/audit/auditor.js';
import type { AuditRecord } from '../../../src/server/audit/audit-record.js';
import { createLogFile } from '../../../src/server/audit/log-file.js';
import { createAuditRules, DEFAULT_AUDIT_POLICY, parseAuditPolicy } from '../../../src/server/audit/policy.js';
import type { Attributes } from '../../../src/server/auth/authorizer.js';
import type { Exchange } from '../../../src/server/pipeline/exchange.js';

const NOW = Date.parse('2026-01-02T03:04:05.006Z');

const policy = (rules: string, more = ''): string =>
  `apiVersion: audit.k8s.io/v1\nkind: Policy\n${more}\nrules:\n${rules}`;

function ask(verb: string, what: string, more: Partial<Attributes> = {}): Attributes {
  const isResource = !what.startsWith('/');
  const [resource = '', subresource = ''] = isResource ? what.split('/') : [];
  return {
    user: { name: 'ann', groups: ['devs'] },
    verb,
    isResource,
    group: '',
    version: 'v1',
    resource,
    subresource,
    namespace: isResource ? 'ns' : '',
    name: '',
    path: isResource ? '' : what,
    ...more,
  };
}

t.test('the first rule that matches decides', t => {
  const configOf = createAuditRules(
    parseAuditPolicy(
      policy(
        `
- {level: None, users: [bob]}
- {level: None, nonResourceURLs: ["/healthz*", "/version"]}
- {level: Metadata, resources: [{group: "", resources: [secrets, "pods/*", "*/scale"]}]}
- {level: Request, verbs: [patch], namespaces: [ns], omitStages: [RequestReceived]}
- {level: RequestResponse, userGroups: [ops], omitManagedFields: true}
- {level: Request, resources: [{group: apps}, {group: "", resources: [configmaps], resourceNames: [one]}]}`,
        'omitStages: [Panic]',
      ),
    ),
  );
  const ops = { user: { name: 'x', groups: ['ops'] } };
  const cases: [string, Attributes, string, string[]?][] = [
    ['user', ask('get', 'pods', { user: { name: 'bob', groups: [] } }), 'None'],
    ['path', ask('get', '/healthz/ping'), 'None'],
    ['another path', ask('get', '/versions'), 'None'],
    ['resource', ask('get', 'secrets'), 'Metadata', ['Panic']],
    ['subresource of a resource', ask('create', 'pods/exec'), 'Metadata', ['Panic']],
    ['subresource of any', ask('patch', 'replicationcontrollers/scale'), 'Metadata', ['Panic']],
    ['verb and namespace', ask('patch', 'services'), 'Request', ['Panic', 'RequestReceived']],
    ['namespace', ask('patch', 'nodes', { namespace: '' }), 'None'],
    ['group of users', ask('get', 'nodes', ops), 'RequestResponse', ['Panic']],
    ['API group', ask('list', 'deployments', { group: 'apps' }), 'Request', ['Panic']],
    ['name', ask('get', 'configmaps', { name: 'one' }), 'Request', ['Panic']],
    ['other name', ask('get', 'configmaps', { name: 'two' }), 'None'],
  ];
  for (const [name, attributes, level, stages] of cases) {
    const config = configOf(attributes);
    t.equal(config.level, level, name);
    if (stages !== undefined) t.same([...config.omitStages].sort(), stages, `${name}: stages`);
  }
  t.equal(configOf(ask('get', 'nodes', ops)).omitManagedFields, true);
  t.end();
});

t.test('policies that are refused', t => {
  const cases: [string, RegExp][] = [
    ['kind: Policy', /unknown group version field undefined, Kind=Policy/],
    [policy(' []'), /loaded illegal policy with 0 rules/],
    [policy('- {level: All}'), /rules\[0\].level: Unsupported value: "All": supported values: "None", "Metadata"/],
    [policy('- {}'), /rules\[0\].level: Required value/],
    [policy('- {level: None, nonResourceURLs: [x]}'), /non-resource URL rules must begin with a '\/' character/],
    [policy('- {level: None, omitStages: [x]}'), /allowed stages are RequestReceived,ResponseStarted/],
    [policy('- {level: None, nonResourceURLs: ["/"], namespaces: [a]}'), /rules cannot apply to both/],
    [policy('- {level: None, resources: [{resourceNames: [a]}]}'), /using resourceNames requires at least one/],
    ['a: [', /failed decoding/],
  ];
  for (const [text, expected] of cases) t.throws(() => parseAuditPolicy(text), expected);
  t.end();
});

/** An exchange that has been answered with `statusCode`. */
const exchange = (attributes: Attributes, statusCode = 200): Exchange =>
  ({
    info: { ...attributes, apiPrefix: '', parts: [] },
    receivedMs: NOW - 5,
    request: {
      auditId: 'id',
      url: '/x?y=z',
      raw: { headers: { 'user-agent': 'test/1', 'x-forwarded-for': '10.1.1.1, nonsense' } },
      socket: { remoteAddress: '::ffff:127.0.0.1' },
      response: { headersSent: true, statusCode },
    },
  }) as unknown as Exchange;

function record(
  rules: string,
  attributes: Attributes,
  act: (record: AuditRecord) => void,
  known = true,
): { events: JsonObject[]; recorded: boolean } {
  const events: JsonObject[] = [];
  const clock = new FakeClock(NOW);
  const auditor = createAuditor(
    parseAuditPolicy(policy(rules)),
    { write: event => void events.push(event), flush: () => Promise.resolve() },
    clock,
  );
  const begun = auditor.begin(exchange(attributes), known ? attributes.user : undefined);
  if (begun !== undefined) act(begun);
  return { events, recorded: begun !== undefined };
}

t.test('events', t => {
  const object = { kind: 'ConfigMap', metadata: { name: 'a', uid: 'u', managedFields: [{}] } };
  const act = (it: AuditRecord): void => {
    it.annotate('b', '2');
    it.annotate('a', '1');
    it.annotate('a', 'later');
    it.targets(object.metadata);
    it.requested(() => object);
    if (it.answer !== undefined) it.answered(object);
    it.completed();
    it.completed();
  };
  const create = ask('create', 'configmaps');
  const full = record('- {level: RequestResponse, omitManagedFields: true}', create, act).events;
  t.same(
    full.map(event => event['stage']),
    ['RequestReceived', 'ResponseComplete'],
  );
  t.same(full[1], {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: 'id',
    stage: 'ResponseComplete',
    requestURI: '/x?y=z',
    verb: 'create',
    user: { username: 'ann', groups: ['devs'] },
    sourceIPs: ['10.1.1.1', '127.0.0.1'],
    userAgent: 'test/1',
    objectRef: { resource: 'configmaps', namespace: 'ns', name: 'a', uid: 'u', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 200 },
    requestObject: { kind: 'ConfigMap', metadata: { name: 'a', uid: 'u' } },
    responseObject: { kind: 'ConfigMap', metadata: { name: 'a', uid: 'u' } },
    requestReceivedTimestamp: '2026-01-02T03:04:05.001000Z',
    stageTimestamp: '2026-01-02T03:04:05.006000Z',
    annotations: { a: '1', b: '2' },
  });
  const half = record('- {level: Request, omitStages: [RequestReceived]}', create, act).events;
  t.equal(half.length, 1);
  t.same(half[0]?.['requestObject'], object);
  t.notOk('responseObject' in (half[0] ?? {}));
  const lean = record('- {level: Metadata}', create, it => {
    it.requested(() => t.fail('nobody asked for it'));
    it.completed();
  });
  t.equal(lean.events.length, 2);
  t.equal(record('- {level: None}', create, act).recorded, false);
  const watch = record('- {level: Metadata}', ask('watch', 'pods'), it => {
    it.started(200);
    it.completed();
  });
  t.same(
    watch.events.map(event => event['stage']),
    ['RequestReceived', 'ResponseStarted', 'ResponseComplete'],
  );
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'Unauthorized',
    code: 401,
  } as const;
  const unknown = record(
    '- {level: Metadata}',
    create,
    it => {
      it.answeredStatus(status);
      it.completed();
    },
    false,
  ).events;
  t.match(unknown, [
    { stage: 'ResponseStarted', user: {}, responseStatus: { status: 'Failure', reason: 'Unauthorized', code: 401 } },
  ]);
  t.equal(unknown.length, 1);
  t.equal(createAuditRules(DEFAULT_AUDIT_POLICY)(create).level, 'Metadata');
  t.end();
});

t.test('a log turns when it is full', async t => {
  const dir = t.testdir();
  const path = join(dir, 'audit.log');
  const clock = new FakeClock(NOW);
  const errors: Error[] = [];
  const rotation = { maxBytes: 20, maxBackups: 1, maxAgeMs: 0 };
  const sink = await createLogFile(path, rotation, clock, error => void errors.push(error));
  sink.write({ line: 'one' });
  sink.write({ line: 'two' });
  const until = async (done: () => Promise<boolean>): Promise<void> => {
    while (!(await done())) await new Promise(resolve => setImmediate(resolve));
  };
  await until(async () => (await readFile(path, 'utf8').catch(() => '')) === '{"line":"two"}\n');
  const backup = join(dir, 'audit-2026-01-02T03-04-05.006.log');
  await until(async () => (await readFile(backup, 'utf8').catch(() => '')) === '{"line":"one"}\n');
  clock.step(1000);
  sink.write({ line: 'three' });
  await until(async () => (await readdir(dir)).join() === 'audit-2026-01-02T03-04-06.006.log,audit.log');
  t.same(errors, []);
});
