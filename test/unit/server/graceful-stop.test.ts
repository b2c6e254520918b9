import { request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import t, { type Test } from 'tap';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { keysInMemory } from '../../../src/cluster/keys/files.js';
import { createPki } from '../../../src/cluster/keys/pki.js';
import { createApiServer } from '../../../src/server/create-server.js';
import type { ApiServerOptions } from '../../../src/server/options.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { until } from '../../support/until.js';

/** One key for all: making RSA keys is slow. */
const keys = createPki(keysInMemory(), { clock: realClock });

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

async function start(t: Test, options: Partial<ApiServerOptions> = {}) {
  const pki = await keys;
  const tokens = new Map([
    ['admin', { name: 'admin', groups: ['system:masters'] }],
    ['jane', { name: 'jane', groups: [] }],
  ]);
  const server = await createApiServer({ store: createMemoryStore(), pki, tokens, ...options });
  const { port } = await server.listen();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= server.close());
  t.teardown(close);
  const open = (method: string, path: string, token: string): { sent: ClientRequest; answer: Promise<Answer> } => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = httpsRequest({ host: '127.0.0.1', port, method, path, ca: pki.ca.cert, headers, agent: false });
    const answer = new Promise<Answer>((resolve, reject) => {
      sent.once('error', reject);
      sent.once('response', response => {
        let text = '';
        response.on('data', chunk => (text += String(chunk)));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
    });
    return { sent, answer };
  };
  const call = (method: string, path: string, token = 'admin'): Promise<Answer> => {
    const { sent, answer } = open(method, path, token);
    sent.end();
    return answer;
  };
  return { call, open, close };
}

t.test('a server that is told to stop says so, serves on for a while, and answers what it has begun', async t => {
  const clock = new FakeClock(realClock.now());
  const { call, open, close } = await start(t, { clock, shutdownDelayMs: 5_000 });
  const watch = open('GET', '/api/v1/namespaces?watch=1', 'admin');
  watch.sent.end();
  const slow = open('POST', '/api/v1/namespaces/default/configmaps', 'admin');
  slow.sent.write('{"metadata":');
  const closed = close();
  const ready = await call('GET', '/readyz');
  t.equal(ready.status, 500);
  t.match(ready.text, '[-]shutdown failed: reason withheld');
  t.match(ready.text, '[+]etcd ok');
  t.equal((await call('GET', '/livez')).status, 200);
  t.equal((await call('GET', '/api/v1/namespaces/default')).status, 200);
  clock.step(5_000);
  await until('nobody listens', () =>
    call('GET', '/version').then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
    ),
  );
  t.equal((await watch.answer).status, 200, 'the watch ended as one whose time is over');
  slow.sent.end('{"name":"a"}}');
  t.equal((await slow.answer).status, 201);
  await closed;
});

t.test('every answer says which flow schema and priority level the request belonged to', async t => {
  const { call } = await start(t);
  const uid = async (resource: string, name: string): Promise<string> => {
    const { text } = await call('GET', `/apis/flowcontrol.apiserver.k8s.io/v1/${resource}/${name}`);
    return (JSON.parse(text) as { metadata: { uid: string } }).metadata.uid;
  };
  const belongs = async (schema: string, level: string): Promise<object> => ({
    'x-kubernetes-pf-flowschema-uid': await uid('flowschemas', schema),
    'x-kubernetes-pf-prioritylevel-uid': await uid('prioritylevelconfigurations', level),
  });
  const exempt = await belongs('exempt', 'exempt');
  const others = await belongs('global-default', 'global-default');
  t.match(await call('GET', '/api/v1/namespaces/default'), { status: 200, headers: exempt });
  t.match(await call('GET', '/api/v1/namespaces/none'), { status: 404, headers: exempt });
  t.match(await call('GET', '/api/v1/namespaces/default', 'jane'), { status: 403, headers: others });
  t.match(await call('GET', '/readyz', 'jane'), { status: 200, headers: await belongs('probes', 'exempt') });
  const unknown = await call('GET', '/api/v1/namespaces/default', 'wrong');
  t.equal(unknown.status, 401);
  t.equal(unknown.headers['x-kubernetes-pf-flowschema-uid'], undefined, 'nobody knows whose request it is');
});

t.test('the dumps show what is worked on', async t => {
  const { call } = await start(t);
  const dump = async (name: string, query = ''): Promise<string[]> =>
    (await call('GET', `/debug/api_priority_and_fairness/dump_${name}${query}`)).text.trimEnd().split('\n');
  const levels = await dump('priority_levels');
  // As kube-apiserver 1.35.4 has them.
  t.equal(
    levels[0],
    'PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, ExecutingRequests, DispatchedRequests, RejectedRequests, TimedoutRequests, CancelledRequests',
  );
  t.match(levels[1], /^catch-all, {9}0, {12}true, {3}false, {7}0, {15}0, {17}0, {18}0, {16}0, {16}0$/);
  t.equal(levels.length, 9);
  t.match((await dump('queues'))[0], /^PriorityLevelName, Index, {2}PendingRequests, ExecutingRequests, SeatsInUse,/);
  const requests = await dump('requests', '?includeRequestDetails=1');
  t.match(
    requests[1],
    /^exempt, +exempt, +-1, +-1, +, .* admin, +get, +\/debug\/api_priority_and_fairness\/dump_requests,/,
  );
  t.equal((await call('GET', '/debug/api_priority_and_fairness/dump_nothing')).status, 404);
  t.equal((await call('GET', '/debug/api_priority_and_fairness/dump_queues', 'jane')).status, 403);
});

t.test('without priority and fairness there are two limits, and no headers', async t => {
  const { call } = await start(t, { priorityAndFairness: false });
  const { status, headers } = await call('GET', '/api/v1/namespaces/default');
  t.equal(status, 200);
  t.equal(headers['x-kubernetes-pf-flowschema-uid'], undefined);
  t.equal((await call('GET', '/debug/api_priority_and_fairness/dump_queues')).status, 404);
  t.notMatch((await call('GET', '/metrics')).text, 'apiserver_flowcontrol');
});
