import type { Program } from '../../process.js';
import { flagOf, json, metrics, portOf, servingProgram, type Answer, type Asked, type Served } from '../http/served.js';
import { createEtcdStore, StoreFull, type EtcdStore, type KeyValue, type Range } from './store.js';

export const ETCD_VERSION = '3.6.4';

/** The gateway's words, where gRPC says more in numbers. */
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;

const problem = (code: number, message: string, status = 400): Answer =>
  json({ error: message, code, message }, status);

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const bytesOf = (value: unknown): string =>
  typeof value === 'string' ? Buffer.from(value, 'base64').toString('latin1') : '';

const shown = ({ key, value, createRevision, modRevision, version }: KeyValue) => ({
  key: base64(key),
  create_revision: String(createRevision),
  mod_revision: String(modRevision),
  version: String(version),
  value: base64(value),
});

type Body = Readonly<Record<string, unknown>>;

/** A call of the JSON gateway of etcd's gRPC API. */
const call =
  (run: (body: Body, asked: Asked) => object) =>
  (asked: Asked): Answer => {
    if (asked.method !== 'POST') return problem(UNIMPLEMENTED, 'Method Not Allowed', 405);
    try {
      const body = JSON.parse(asked.body.toString('utf8') || '{}') as Body | null;
      return json(run(body ?? {}, asked));
    } catch (error) {
      if (error instanceof SyntaxError) return problem(INVALID_ARGUMENT, error.message);
      if (error instanceof StoreFull) return problem(RESOURCE_EXHAUSTED, error.message, 429);
      throw error;
    }
  };

const rangeOf = (body: Body): Range => ({ key: bytesOf(body['key']), end: bytesOf(body['range_end']) });

function routesOf(store: EtcdStore, name: string): Served['routes'] {
  const header = () => ({ cluster_id: '1', member_id: '1', revision: String(store.revision), raft_term: '2' });
  return {
    '/health': () => json({ health: 'true', reason: '' }),
    '/livez': () => ({ body: 'ok\n' }),
    '/readyz': () => ({ body: 'ok\n' }),
    '/version': () => json({ etcdserver: ETCD_VERSION, etcdcluster: '3.6.0' }),
    '/metrics': () =>
      metrics({
        etcd_server_has_leader: 1,
        etcd_server_is_leader: 1,
        etcd_debugging_mvcc_current_revision: store.revision,
      }),
    '/v3/kv/put': call(body => {
      store.put(bytesOf(body['key']), bytesOf(body['value']));
      return { header: header() };
    }),
    '/v3/kv/range': call(body => {
      const found = store.range(rangeOf(body));
      const limit = Number(body['limit'] ?? 0);
      const kvs = limit > 0 ? found.slice(0, limit) : found;
      return { header: header(), ...(kvs.length === 0 ? {} : { kvs: kvs.map(shown) }), count: String(found.length) };
    }),
    '/v3/kv/deleterange': call(body => ({ deleted: String(store.delete(rangeOf(body))), header: header() })),
    '/v3/maintenance/status': call(() => ({
      header: header(),
      version: ETCD_VERSION,
      dbSize: '20480',
      leader: '1',
      raftIndex: String(store.revision),
      raftTerm: '2',
    })),
    '/v3/cluster/member/list': call((_body, { process }) => ({
      header: header(),
      members: [
        {
          ID: '1',
          name,
          peerURLs: [`http://${process.container.pod.ip}:2380`],
          clientURLs: [`http://${process.container.pod.ip}:2379`],
        },
      ],
    })),
    '/v3/': () => problem(UNIMPLEMENTED, 'not simulated; see `kubette images`', 501),
  };
}

/** etcd: one member, keys in memory. Its JSON gateway is served, its gRPC is not. */
export const etcd: Program = async process => {
  const { args, env, memory, stdout, stderr } = process;
  if (args.includes('--version')) {
    await stdout.write(`etcd Version: ${ETCD_VERSION}\n`);
    return 0;
  }
  const urls = flagOf(process, 'listen-client-urls') ?? env['ETCD_LISTEN_CLIENT_URLS'];
  const [url = 'http://localhost:2379'] = urls?.split(',') ?? [];
  const name = flagOf(process, 'name') ?? env['ETCD_NAME'] ?? 'default';
  await stderr.write(
    `{"level":"info","msg":"serving client traffic insecurely","address":"${url.replace(/^\w+:\/\//, '')}","simulated":true}\n`,
  );
  return servingProgram({
    port: 2379,
    morePorts: [2380],
    listens: () => portOf(url),
    routes: routesOf(createEtcdStore(memory), name),
  })(process);
};
