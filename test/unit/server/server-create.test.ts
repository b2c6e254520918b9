import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import t, { type Test } from 'tap';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { ensurePki } from '../../../src/cluster/keys/pki.js';
import { createLogFile } from '../../../src/server/audit/log-file.js';
import { createApiServer } from '../../../src/server/create-server.js';
import type { ApiServer, ApiServerOptions } from '../../../src/server/options.js';
import { advertiseProblem, firstServiceAddresses, serviceRangeProblem } from '../../../src/server/service-range.js';
import type { KvStore } from '../../../src/storage/kv-store.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { until } from '../../support/until.js';

interface Running {
  readonly server: ApiServer;
  readonly port: number;
  call(method: string, path: string, body?: object, token?: string): Promise<{ status: number; body: unknown }>;
  /** Opens a watch; `lines` grows, `ended` says how the stream went. */
  watch(path: string): { lines: string[]; ended: Promise<'clean' | 'cut'> };
}

/** No two files of a log are turned at one moment. */
class TickingClock extends FakeClock {
  override now(): number {
    this.step(1);
    return super.now();
  }
}

const ADMIN = 'admin-token';

async function start(t: Test, options: Partial<ApiServerOptions> = {}): Promise<Running> {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-server-'));
  const pki = await ensurePki(dir, { clock: realClock });
  const tokens = new Map([
    [ADMIN, { name: 'admin', groups: ['system:masters'] }],
    ['jane-token', { name: 'jane', groups: [] }],
  ]);
  const server = await createApiServer({ store: createMemoryStore(), pki, tokens, ...options });
  const { port } = await server.listen();
  let closed = false;
  const close = server.close.bind(server);
  server.close = async () => {
    closed = true;
    await close();
  };
  t.teardown(async () => {
    if (!closed) await server.close();
    rmSync(dir, { recursive: true });
  });
  const send = (method: string, path: string, token: string) =>
    httpsRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      ca: pki.ca.cert,
      headers: { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
    });
  return {
    server,
    port,
    call: (method, path, body, token = ADMIN) =>
      new Promise((resolve, reject) => {
        const request = send(method, path, token);
        request.on('error', reject);
        request.on('response', response => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text }),
          );
        });
        request.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    watch(path) {
      const lines: string[] = [];
      const ended = new Promise<'clean' | 'cut'>((resolve, reject) => {
        const request = send('GET', path, ADMIN);
        request.on('error', reject);
        request.on('response', response => {
          let rest = '';
          response.on('data', (chunk: Buffer) => {
            const parts = (rest + chunk.toString()).split('\n');
            rest = parts.pop() ?? '';
            lines.push(...parts);
          });
          response.on('end', () => resolve('clean'));
          response.on('error', () => resolve('cut'));
        });
        request.end();
      });
      return { lines, ended };
    },
  };
}

t.test('a server in this process, over a memory store', async t => {
  const { call, watch, server, port } = await start(t);

  await t.test('where its keys are, by the port that it was given', async t => {
    const { jwks_uri: uri } = (await call('GET', '/.well-known/openid-configuration')).body as { jwks_uri: string };
    t.equal(new URL(uri).port, String(port));
    t.equal(new URL(uri).pathname, '/openid/v1/jwks');
  });

  await t.test('what it makes for itself', async t => {
    const namespaces = (await call('GET', '/api/v1/namespaces')).body as { items: { metadata: { name: string } }[] };
    t.same(
      namespaces.items.map(n => n.metadata.name),
      ['default', 'kube-node-lease', 'kube-public', 'kube-system'],
    );
    t.match((await call('GET', '/api/v1/namespaces/default/services/kubernetes')).body, {
      spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: port }] },
    });
    t.match((await call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')).body, {
      endpoints: [{ addresses: ['172.18.0.1'], conditions: { ready: true } }],
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    });
    t.match((await call('GET', '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical')).body, {
      value: 2_000_001_000,
    });
    t.match((await call('GET', '/apis/networking.k8s.io/v1/servicecidrs/kubernetes')).body, {
      spec: { cidrs: ['10.96.0.0/16'] },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    const services = '/apis/apiregistration.k8s.io/v1/apiservices';
    t.match((await call('GET', `${services}/v2.autoscaling`)).body, {
      spec: { group: 'autoscaling', version: 'v2', groupPriorityMinimum: 17_500, versionPriority: 30 },
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local' }] },
    });
    const groups = (await call('GET', '/apis')).body as { groups: { versions: { groupVersion: string }[] }[] };
    const served = groups.groups.flatMap(g => g.versions.map(v => v.groupVersion.split('/').reverse().join('.')));
    const listed = (await call('GET', services)).body as { items: { metadata: { name: string } }[] };
    t.strictSame(
      new Set([...listed.items.map(item => item.metadata.name), 'v1.apiregistration.k8s.io']),
      new Set([...served, 'v1.']),
      'an APIService for each group-version but its own',
    );
    t.equal((await call('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin')).status, 200);
    t.equal((await call('GET', '/readyz')).body, 'ok');
  });

  await t.test('who may do what', async t => {
    t.equal((await call('GET', '/api/v1/pods', undefined, 'nonsense')).status, 401);
    t.match(await call('GET', '/api/v1/pods', undefined, 'jane-token'), {
      status: 403,
      body: {
        message: 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope',
      },
    });
    t.equal((await call('GET', '/api', undefined, 'jane-token')).status, 200);
    t.equal((await call('GET', '/api', undefined, '')).status, 403);
    t.equal((await call('GET', '/version', undefined, '')).status, 200);
    t.match(
      await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
      }),
      { status: 201, body: { status: { allowed: true } } },
    );
  });

  await t.test('a token from the API opens the API', async t => {
    await call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } });
    const { status, body } = await call('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', {});
    t.equal(status, 201);
    const { token } = (body as { status: { token: string } }).status;
    t.match(await call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, token), {
      status: 201,
      body: { status: { userInfo: { username: 'system:serviceaccount:default:robot' } } },
    });
    t.match((await call('GET', '/openid/v1/jwks')).body, { keys: [{ kty: 'RSA', alg: 'RS256' }] });
  });

  await t.test('writes reach watchers, and a stopping server ends watches cleanly', async t => {
    const stream = watch('/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=0');
    const created = await call('POST', '/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'w' },
      data: { a: 'b' },
    });
    t.equal(created.status, 201);
    await until('the event', () => stream.lines.some(line => line.includes('"name":"w"')));
    t.match(JSON.parse(stream.lines.at(-1) ?? ''), { type: 'ADDED', object: { kind: 'ConfigMap', data: { a: 'b' } } });
    await server.close();
    t.equal(await stream.ended, 'clean');
  });
});

t.test('a restart over the same store keeps objects and follows the new port', async t => {
  const store = createMemoryStore();
  const keep = { ...store, close: async () => undefined };
  const first = await start(t, { store: keep });
  await first.call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'kept' } });
  await first.server.close();
  const second = await start(t, { store: keep });
  t.equal((await second.call('GET', '/api/v1/namespaces/default/configmaps/kept')).status, 200);
  t.match((await second.call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')).body, {
    ports: [{ port: second.port }],
  });
});

t.test('a server that has stopped has written the audit of all that it answered', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-audit-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'audit.log');
  // A line or so per file: those that are turned away from count, too.
  const rotation = { maxBytes: 1500, maxBackups: 0, maxAgeMs: 0 };
  const sink = await createLogFile(path, rotation, new TickingClock(), error => t.error(error));
  const { server, call } = await start(t, { audit: { sink } });
  const uris = Array.from({ length: 20 }, (_, i) => `/api/v1/namespaces?limit=${i + 1}`);
  await Promise.all(uris.map(uri => call('GET', uri)));
  await server.close();
  const files = readdirSync(dir);
  t.ok(files.length > 1, `${files.length} files`);
  const log = files.map(name => readFileSync(join(dir, name), 'utf8')).join('');
  t.same(
    uris.filter(uri => !log.includes(`"${uri}"`)),
    [],
  );
});

t.test('a server whose clock stands still closes, whatever is connected to it', async t => {
  const clock = new FakeClock(realClock.now());
  const { server, port, call, watch } = await start(t, { clock });
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const quiet = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(quiet, 'secureConnect');
  for (const socket of [silent, quiet]) socket.on('error', () => undefined);
  t.equal((await call('GET', '/version')).status, 200);
  const { lines, ended } = watch('/api/v1/namespaces?watch=true');
  await until('the watch begins', () => lines.length > 0);
  await server.close();
  t.equal(await ended, 'clean');
});

t.test('service ranges', async t => {
  const rows: [string, RegExp | undefined][] = [
    ['10.96.0.0/16', undefined],
    ['10.0.0.0/12', undefined],
    ['fd00::/64', undefined],
    ['10.0.0.0/8', undefined],
    ['10.96.0.0/16,fd00:10:96::/112', undefined],
    ['fd00:10:96::/112,10.96.0.0/16', undefined],
    ['', /^--service-cluster-ip-range must contain at least one valid cidr$/],
    ['fd00::/48', /shortest allowed prefix length for service CIDR is 64, got 48$/],
    ['10.96.0.0/16,fd00::/63', /shortest allowed prefix length for service CIDR is 64, got 63$/],
    [
      '10.0.0.0/30',
      /^error determining service IP ranges .*: the service cluster IP range must be at least 8 IP addresses$/,
    ],
    ['nonsense', /^service-cluster-ip-range\[0\] is not a valid cidr$/],
    ['10.96.0.1', /^service-cluster-ip-range\[0\] is not a valid cidr$/],
    ['10.96.0.0/16,nonsense', /^service-cluster-ip-range\[1\] is not an ip net$/],
    ['10.96.0.0/16, fd00:10:96::/112', /^service-cluster-ip-range\[1\] is not an ip net$/],
    ['10.96.0.0/16,10.97.0.0/16', /range\[0\] and --service-cluster-ip-range\[1\] must be of different IP family$/],
    ['10.96.0.0/16,fd00:10:96::/112,fd00:10:97::/112', /must not contain more than two entries$/],
  ];
  for (const [cidr, problem] of rows)
    if (problem === undefined) t.equal(serviceRangeProblem(cidr), undefined, cidr);
    else t.match(serviceRangeProblem(cidr), problem, cidr);
  t.same(firstServiceAddresses('10.96.0.0/16,fd00:10:96::/112'), ['10.96.0.1', 'fd00:10:96::1']);
  t.equal(advertiseProblem('fd00:10:96::/112,10.96.0.0/16', 'fd00::1'), undefined);
  t.equal(
    advertiseProblem('fd00:10:96::/112,10.96.0.0/16', '172.18.0.1'),
    'service IP family "fd00:10:96::/112" must match public address family "172.18.0.1"',
  );
});

t.test('a cluster becomes dual stack', async t => {
  const store = createMemoryStore();
  const kept = Object.create(store, { close: { value: () => Promise.resolve() } }) as KvStore;
  const look = async (serviceClusterIpRange: string, advertiseAddress = '172.18.0.1'): Promise<unknown[]> => {
    const { call, server } = await start(t, { store: kept, serviceClusterIpRange, advertiseAddress });
    const get = async (path: string): Promise<Record<string, unknown>> => (await call('GET', path)).body as never;
    const { spec: cidrs, status } = await get('/apis/networking.k8s.io/v1/servicecidrs/kubernetes');
    const { spec } = await get('/api/v1/namespaces/default/services/kubernetes');
    const slice = await get('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
    await server.close();
    const { clusterIPs, ipFamilies, ipFamilyPolicy } = spec as Record<string, unknown>;
    const { conditions } = status as { conditions: { status: string }[] };
    const ready = conditions.map(condition => condition.status);
    return [(cidrs as { cidrs: string[] }).cidrs, ready, clusterIPs, ipFamilies, ipFamilyPolicy, slice['addressType']];
  };
  const service = [['10.96.0.1'], ['IPv4'], 'SingleStack', 'IPv4'];
  t.same(await look('10.96.0.0/16'), [['10.96.0.0/16'], ['True'], ...service]);
  const both = ['10.96.0.0/16', 'fd00:10:96::/112'];
  t.same(await look(both.join()), [both, ['True'], ...service], 'the Service keeps its one family');
  t.same(await look('10.96.0.0/16'), [both, ['True'], ...service], 'a range does not go by itself');
});

t.test('a cluster of IPv6', async t => {
  const { call } = await start(t, { serviceClusterIpRange: 'fd00:10:96::/112', advertiseAddress: 'fd00::1' });
  const endpoints = await call('GET', '/api/v1/namespaces/default/endpoints/kubernetes');
  t.match(endpoints.body, { subsets: [{ addresses: [{ ip: 'fd00::1' }] }] });
  const slice = await call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
  t.match(slice.body, { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] });
  const service = { metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } };
  const made = await call('POST', '/api/v1/namespaces/default/services', service);
  t.match(made, { status: 201, body: { spec: { clusterIP: /^fd00:10:96::/, ipFamilies: ['IPv6'] } } });
});

t.test('the default ServiceCIDR is made again', async t => {
  const clock = new FakeClock();
  const { call } = await start(t, { clock });
  const path = '/apis/networking.k8s.io/v1/servicecidrs/kubernetes';
  const uid = async (): Promise<unknown> =>
    ((await call('GET', path)).body as { metadata: { uid?: string } }).metadata.uid;
  const first = await uid();
  t.match(await call('DELETE', path), { status: 200 });
  t.equal(await uid(), undefined);
  const isReady = async (): Promise<boolean> =>
    JSON.stringify((await call('GET', path)).body).includes('"type":"Ready"');
  await until('the next look', () => {
    clock.step(10_000);
    return isReady();
  });
  t.not(await uid(), first);
});
