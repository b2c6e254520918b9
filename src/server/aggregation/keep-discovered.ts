import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import { createWorkQueue } from '../../machinery/work-queue.js';
import type { Objects, UserInfo } from '../../api/strategy.js';
import {
  API_SERVICES,
  groupVersionPath,
  isAvailable,
  remoteApi,
  type ReadonlyApiService,
  type RemoteApi,
} from './api-service.js';
import { fetchDocument, parsed, type BackendOptions } from './backend.js';
import { readAggregated, readLegacy, type Discovered, type DiscoveredResource } from './discovery-documents.js';
import { follow } from './follow.js';

const WORKERS = 2;
const TIMEOUT_MS = 5_000;
const REFRESH_MS = 60_000;

const ACCEPT = ['v2', 'v2beta1']
  .map(version => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(',');
const isAggregated = (contentType: string): boolean =>
  contentType.includes('g=apidiscovery.k8s.io') && contentType.includes('as=APIGroupDiscoveryList');

/** A group-version as its server has told of it; stale: it could not be asked. */
export interface RemoteEntry {
  readonly api: RemoteApi;
  readonly resources: readonly DiscoveredResource[] | undefined;
  readonly stale: boolean;
}

export interface RemoteDiscovery {
  /** Moves whenever an entry does. */
  generation(): number;
  entries(): readonly RemoteEntry[];
  /** Keeps them until the signal. */
  run(): Promise<void>;
}

export interface RemoteDiscoveryOptions extends BackendOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What one server has said of all its group-versions. */
interface Said {
  readonly discovered: Discovered;
  readonly etag: string | undefined;
  /** Before it was asked. */
  readonly atMs: number;
}

const MASTER: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] };
const NOBODY_SPECIAL: UserInfo = { name: 'system:kube-aggregator', groups: [] };

const keyOf = ({ service }: RemoteApi): string => `${service.namespace}/${service.name}:${service.port}`;

/** What aggregated APIs say that they serve (kube-aggregator pkg/apiserver/handler_discovery.go). */
export function createRemoteDiscovery(options: RemoteDiscoveryOptions): RemoteDiscovery {
  const { objects, clock, log, signal } = options;
  const queue = createWorkQueue({ name: 'discovery of aggregated APIs', clock });
  const said = new Map<string, Said>();
  /** When what was known of an APIService stopped being enough. */
  const dirty = new Map<string, number>();
  const entries = new Map<string, RemoteEntry>();
  let generation = 0;

  const within = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const late = new AbortController();
    const cancel = clock.after(TIMEOUT_MS, () => late.abort(new Error('request timed out')));
    try {
      return await work(AbortSignal.any([signal, late.signal]));
    } finally {
      cancel();
    }
  };

  /** @throws Error when the server does not answer as one that serves the group-version */
  const askLegacy = async (api: RemoteApi): Promise<DiscoveredResource[]> => {
    const path = groupVersionPath(api);
    const headers = { accept: 'application/json' };
    const answer = await within(signal => fetchDocument(api, { path, user: NOBODY_SPECIAL, headers, signal }, options));
    const resources = answer.status === 200 ? readLegacy(parsed(answer)) : undefined;
    if (resources === undefined)
      throw new Error(`failed to download legacy discovery for ${path}: status ${answer.status}`);
    return resources;
  };

  /** @throws Error */
  const ask = async (api: RemoteApi): Promise<readonly DiscoveredResource[]> => {
    const key = keyOf(api);
    const gv = `${api.group}/${api.version}`;
    const known = said.get(key);
    if (known !== undefined && known.atMs > (dirty.get(api.name) ?? 0)) return known.discovered.get(gv) ?? [];
    const atMs = clock.monotonic();
    const headers = { accept: ACCEPT, ...(known?.etag === undefined ? {} : { 'if-none-match': known.etag }) };
    const answer = await within(signal =>
      fetchDocument(api, { path: '/apis', user: MASTER, headers, signal }, options),
    );
    if (answer.status === 503) throw new Error(`service ${key} returned non-success response code: 503`);
    if (answer.status === 304 && known !== undefined) {
      said.set(key, { ...known, atMs });
      return known.discovered.get(gv) ?? [];
    }
    if (answer.status !== 200 || !isAggregated(answer.headers['content-type'] ?? '')) return askLegacy(api);
    const discovered = readAggregated(parsed(answer));
    if (discovered === undefined)
      throw new Error(`service ${key} answered with something that is no discovery document`);
    said.set(key, { discovered, etag: answer.headers.etag, atMs });
    return discovered.get(gv) ?? [];
  };

  const forgetServices = (): void => {
    const used = new Set<string>();
    for (const service of objects.list(API_SERVICES) as Iterable<ReadonlyApiService>) {
      const api = remoteApi(service);
      if (api !== undefined) used.add(keyOf(api));
    }
    for (const key of said.keys()) if (!used.has(key)) said.delete(key);
  };

  const reconcile = async (name: string): Promise<void> => {
    const get = (): ReadonlyApiService | undefined => objects.get(API_SERVICES, { namespace: '', name });
    const service = get();
    const api = service && remoteApi(service);
    if (api === undefined) {
      dirty.delete(name);
      forgetServices();
      if (entries.delete(name)) generation++;
      return;
    }
    let resources: readonly DiscoveredResource[] | undefined;
    try {
      // A new one is not asked before it is known to be there.
      if (!entries.has(name) && (service === undefined || !isAvailable(service)))
        throw new Error('it is not available');
      resources = await ask(api);
    } catch (error) {
      signal.throwIfAborted();
      log.info({ apiService: name, error: (error as Error).message }, 'discovery of an aggregated API failed');
    }
    // Whatever it has become has been told of meanwhile.
    if (get() === undefined) return;
    entries.set(name, { api, resources, stale: resources === undefined });
    generation++;
  };

  const mark = (name: string): void => {
    dirty.set(name, clock.monotonic());
    queue.add(name);
  };

  return {
    generation: () => generation,
    entries: () => [...entries.values()],
    async run() {
      follow(objects, API_SERVICES, ({ name }) => mark(name), signal);
      const refresh = async (): Promise<void> => {
        while (!signal.aborted) {
          await clock.sleep(REFRESH_MS, signal);
          for (const name of entries.keys()) mark(name);
        }
      };
      const failed = (name: string, err: Error): void => log.error({ err, apiService: name }, 'discovery failed');
      await Promise.all([
        queue.run(WORKERS, reconcile, failed, signal),
        refresh().catch((error: unknown) => {
          if (!signal.aborted) throw error;
        }),
      ]);
    },
  };
}
