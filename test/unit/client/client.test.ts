import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createInformerFactory } from '../../../src/client/informer.js';
import { createStore } from '../../../src/client/indexer.js';
import { PODS } from '../../../src/client/resources.js';
import { createClient } from '../../../src/client/rest-client.js';
import { createTransport } from '../../../src/client/transport.js';
import { realClock } from '../../../src/machinery/clock.js';
import { isStatusError } from '../../../src/machinery/status.js';
import type { KubeObject, Pod } from '../../../src/machinery/types.js';
import { until } from '../../support/until.js';

t.test('an index follows its objects', async t => {
  const store = createStore<KubeObject>();
  const at = (name: string, node: string): KubeObject => ({
    metadata: { namespace: 'd', name },
    spec: { nodeName: node },
  });
  store.addIndex('node', object => [(object['spec'] as { nodeName: string }).nodeName]);
  store.put(at('a', 'n1'));
  store.put(at('b', 'n1'));
  store.put(at('a', 'n2'));
  t.same(
    store.byIndex('node', 'n1').map(o => o.metadata.name),
    ['b'],
  );
  store.remove('d/b');
  t.same(store.byIndex('node', 'n1'), []);
  t.throws(() => store.byIndex('nope', ''));
});

/** A server whose answers a test writes by hand. */
async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; server: Server }> {
  const server = createServer(handler);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const config = (server: string) => ({ server, insecureSkipTlsVerify: true, namespace: 'default' });

const podNamed = (name: string, resourceVersion: string, uid = `uid-${name}`): Pod => ({
  metadata: { name, namespace: 'd', resourceVersion, uid },
});

t.test('a list in pages', async t => {
  const asked: string[] = [];
  const answers = [
    { items: [podNamed('a', '1'), podNamed('b', '2')], metadata: { resourceVersion: '9', continue: 'next&one' } },
    { items: null, metadata: { resourceVersion: '9', continue: 'last' } },
    { items: [podNamed('c', '3')], metadata: { resourceVersion: '9' } },
  ];
  const { server, url } = await serve((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify(answers[asked.length - 1]));
  });
  const client = createClient(config(url), 'test');
  const pages: (readonly string[])[] = [];
  for await (const page of client.resource<Pod>(PODS).pages({ namespace: 'd', labelSelector: 'a=b' }))
    pages.push(page.map(({ metadata }) => metadata.name ?? ''));
  t.same(pages, [['a', 'b'], [], ['c']]);
  const path = '/api/v1/namespaces/d/pods?labelSelector=a%3Db&limit=500';
  t.same(asked, [path, `${path}&continue=next%26one`, `${path}&continue=last`]);
  client.close();
  server.close();
});

t.test('reflector and informer', async t => {
  let lists = 0;
  const watches: { from: string; response: ServerResponse }[] = [];
  let items = [podNamed('a', '1'), podNamed('b', '2')];
  let listRevision = '10';
  const { server, url } = await serve((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    if (query.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      watches.push({ from: query.get('resourceVersion') ?? '', response });
      return;
    }
    lists++;
    response.end(
      JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: listRevision }, items }),
    );
  });
  const stop = new AbortController();
  const transport = createTransport(config(url), 'test');
  const errors: string[] = [];
  const factory = createInformerFactory({
    transport,
    clock: realClock,
    freeze: true,
    onError: (_ref, error) => errors.push(error.message),
  });
  const informer = factory.informer<Pod>(PODS);
  const seen: string[] = [];
  informer.addHandler({
    add: pod => seen.push(`+${pod.metadata.name ?? ''}`),
    update: (_old, pod) => seen.push(`~${pod.metadata.name ?? ''}`),
    delete: pod => seen.push(`-${pod.metadata.name ?? ''}`),
  });
  factory.start(stop.signal);
  await factory.whenSynced(stop.signal);
  t.same(seen, ['+a', '+b']);
  t.equal(informer.indexer.get('d/a')?.kind, 'Pod', 'list items get the kind that the list says');
  t.throws(() => ((informer.indexer.get('d/a') as Pod).metadata.name = 'x'), 'cached objects are frozen');

  const send = (event: object): void => void watches.at(-1)?.response.write(`${JSON.stringify(event)}\n`);
  await until('first watch', () => watches.length === 1);
  t.equal(watches[0]?.from, '10');
  send({ type: 'MODIFIED', object: podNamed('a', '11') });
  send({ type: 'DELETED', object: podNamed('b', '12') });
  send({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '20' } } });
  await until('three events', () => seen.length === 4);
  t.same(seen.slice(2), ['~a', '-b']);

  watches[0]?.response.end();
  await until('second watch', () => watches.length === 2);
  t.equal(watches[1]?.from, '20', 'a watch that ended goes on after the bookmark, without a list');
  t.equal(lists, 1);

  items = [podNamed('a', '31', 'another-uid'), podNamed('c', '30')];
  listRevision = '31';
  send({
    type: 'ERROR',
    object: { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired', message: 'too old' },
  });
  await until('relist', () => watches.length === 3);
  t.equal(watches[2]?.from, '31');
  t.same(seen.slice(4), ['-a', '+a', '+c'], 'a Pod made anew under its name is a deletion and an addition');
  t.same(errors, [], 'none of this is a failure');
  stop.abort();
  transport.close();
  server.closeAllConnections();
  server.close();
});

t.test('the client throws what the server says', async t => {
  const requests: { method: string; url: string; type: string; body: string }[] = [];
  const { server, url } = await serve((request, response) => {
    let body = '';
    request.on('data', chunk => (body += String(chunk)));
    request.on('end', () => {
      requests.push({
        method: request.method ?? '',
        url: request.url ?? '',
        type: request.headers['content-type'] ?? '',
        body,
      });
      if (request.url?.includes('missing') === true) {
        response.writeHead(404);
        response.end(
          JSON.stringify({
            kind: 'Status',
            status: 'Failure',
            reason: 'NotFound',
            message: 'pods "missing" not found',
            code: 404,
          }),
        );
      } else if (request.url?.includes('proxy') === true) {
        response.writeHead(503);
        response.end('nothing here');
      } else response.end(body === '' ? '{}' : body);
    });
  });
  const client = createClient(config(url), 'test');
  const pods = client.resource<Pod>(PODS);
  const missing = await pods.get({ namespace: 'd', name: 'missing' }).catch((error: unknown) => error);
  t.ok(isStatusError(missing, 'NotFound'));
  t.match(await client.request('GET', '/proxy').catch((error: unknown) => error), {
    message: 'nothing here',
    code: 503,
  });
  await pods.patch(
    { namespace: 'd', name: 'p' },
    { a: 1 },
    { type: 'strategic', subresource: 'status', fieldManager: 'me' },
  );
  t.match(requests.at(-1), {
    method: 'PATCH',
    url: '/api/v1/namespaces/d/pods/p/status?fieldManager=me',
    type: 'application/strategic-merge-patch+json',
    body: '{"a":1}',
  });
  client.close();
  server.close();
  await t.rejects(createClient(config(url), 'test').request('GET', '/'), { name: 'ConnectionError' });
});
