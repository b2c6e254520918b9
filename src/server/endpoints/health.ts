import type { KvStore } from '../../storage/kv-store.js';
import type { Answer, DocumentRoute } from '../pipeline/exchange.js';
import { plainNotFound } from '../pipeline/routes.js';

/** One named check. */
export interface HealthCheck {
  readonly name: string;
  /** Endpoints it is part of: "healthz", "livez", "readyz". */
  readonly endpoints: readonly string[];
  /** @throws Error when unhealthy; the reason stays in the log, as upstream withholds it */
  check(): Promise<void> | void;
}

const ALL = ['healthz', 'livez', 'readyz'];

/** What a server has started once it serves, by upstream's names and in its order: scripts wait for some of them. */
const STARTED = [
  'poststarthook/start-apiserver-admission-initializer',
  'poststarthook/generic-apiserver-start-informers',
  'poststarthook/priority-and-fairness-config-consumer',
  'poststarthook/priority-and-fairness-filter',
  'poststarthook/storage-object-count-tracker-hook',
  'poststarthook/start-apiextensions-informers',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/crd-informer-synced',
  'poststarthook/start-system-namespaces-controller',
  'poststarthook/start-cluster-authentication-info-controller',
  'poststarthook/start-kube-apiserver-identity-lease-controller',
  'poststarthook/start-kube-apiserver-identity-lease-garbage-collector',
  'poststarthook/start-legacy-token-tracking-controller',
  'poststarthook/start-service-ip-repair-controllers',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/priority-and-fairness-config-producer',
  'poststarthook/bootstrap-controller',
  'poststarthook/start-kubernetes-service-cidr-controller',
  'poststarthook/start-kube-aggregator-informers',
  'poststarthook/apiservice-status-local-available-controller',
  'poststarthook/apiservice-status-remote-available-controller',
  'poststarthook/apiservice-registration-controller',
  'poststarthook/apiservice-discovery-controller',
  'poststarthook/kube-apiserver-autoregistration',
  'autoregister-completion',
  'poststarthook/apiservice-openapi-controller',
  'poststarthook/apiservice-openapiv3-controller',
];

/** The server's own checks, under upstream's names where it has them. */
export function healthChecks(options: {
  readonly store: Pick<KvStore, 'get' | 'assertWritable'>;
  readonly ready: () => boolean;
  readonly stopping: AbortSignal;
  /** Whether the encryption configuration may change: upstream has one check then of whatever key services it names. */
  readonly reloadsEncryption: boolean;
}): HealthCheck[] {
  const reachable = async (): Promise<void> => void (await options.store.get('/registry/health'));
  const writable = async (): Promise<void> => {
    await reachable();
    await options.store.assertWritable();
  };
  const started = (): void => {
    if (!options.ready()) throw new Error('not finished');
  };
  return [
    { name: 'ping', endpoints: ALL, check: () => undefined },
    { name: 'log', endpoints: ALL, check: () => undefined },
    { name: 'etcd', endpoints: ALL, check: reachable },
    { name: 'etcd-readiness', endpoints: ['readyz'], check: writable },
    ...(options.reloadsEncryption ? [{ name: 'kms-providers', endpoints: ALL, check: () => undefined }] : []),
    { name: 'informer-sync', endpoints: ['readyz'], check: started },
    ...STARTED.map(name => ({ name, endpoints: ALL, check: started })),
    { name: 'shutdown', endpoints: ['readyz'], check: () => options.stopping.throwIfAborted() },
  ];
}

const TEXT = 'text/plain; charset=utf-8';

const text = (code: number, body: string): Answer => ({
  kind: 'raw',
  code,
  headers: { 'Content-Type': TEXT, 'X-Content-Type-Options': 'nosniff' },
  body,
});

async function passes(check: HealthCheck): Promise<boolean> {
  try {
    await check.check();
    return true;
  } catch (error) {
    return error === undefined;
  }
}

const quoted = (names: readonly string[]): string => names.map(n => JSON.stringify(n)).join(',');

/** /healthz and its siblings (k8s.io/apiserver pkg/server/healthz). */
async function summary(endpoint: string, checks: readonly HealthCheck[], query: URLSearchParams): Promise<Answer> {
  const excluded = new Set(query.getAll('exclude').flatMap(e => e.split(',')));
  let lines = '';
  let failed = false;
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines += `[+]${check.name} excluded: ok\n`;
    } else if (await passes(check)) {
      lines += `[+]${check.name} ok\n`;
    } else {
      lines += `[-]${check.name} failed: reason withheld\n`;
      failed = true;
    }
  }
  if (excluded.size > 0)
    lines += `warn: some health checks cannot be excluded: no matches for ${quoted([...excluded].sort())}\n`;
  if (failed) return text(500, `${lines}${endpoint} check failed\n`);
  return text(200, query.has('verbose') ? `${lines}${endpoint} check passed\n` : 'ok');
}

/** The route of a path such as /readyz or /livez/ping; undefined for other paths. */
export function healthRoute(path: string, checks: readonly HealthCheck[]): DocumentRoute | undefined {
  const match = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(path);
  if (match === null) return undefined;
  const [, endpoint = '', sub] = match;
  const mine = checks.filter(c => c.endpoints.includes(endpoint));
  return {
    kind: 'document',
    negotiated: false,
    async handle({ request }) {
      if (sub === undefined) return summary(endpoint, mine, request.query);
      const check = mine.find(({ name }) => name === sub);
      if (check === undefined) return plainNotFound();
      if (!(await passes(check))) return text(500, `internal server error: ${check.name}\n`);
      return { kind: 'raw', code: 200, headers: { 'Content-Type': TEXT }, body: 'ok' };
    },
  };
}
