import { createHash } from 'node:crypto';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import type { Turns } from '../../machinery/turns.js';
import { createWorkQueue } from '../../machinery/work-queue.js';
import { pathOf } from '../../api/openapi/generated.js';
import type { Objects } from '../../api/strategy.js';
import { API_SERVICES, remoteApi, type ReadonlyApiService, type RemoteApi } from './api-service.js';
import { fetchDocument, parsed, type BackendOptions } from './backend.js';
import { follow } from './follow.js';
import { convertedOf, failedV2, type ConvertedDocument } from './converted-openapi.js';
import { readV2, type RemoteV2 } from './openapi-v2.js';

const SOON_MS = 1_000;
const REFRESH_MS = 60_000;
const MAX_RETRY_MS = 3_600_000;
const TIMEOUT_MS = 60_000;
const MAX_PATHS = 1_000;

const AGGREGATOR = { name: 'system:aggregator', groups: [] };

/** What an aggregated server says of its API in OpenAPI. */
export interface RemoteOpenApiEntry {
  readonly api: RemoteApi;
  /** Paths below /openapi/v3/, and where their documents are. */
  readonly v3: ReadonlyMap<string, string>;
  /** Of its group-version; undefined: it tells of none. */
  readonly v2: RemoteV2 | undefined;
  /** Made here from its OpenAPI v2, as it tells of no v3. */
  readonly converted: ConvertedDocument | undefined;
}

type ToldV3 = Pick<RemoteOpenApiEntry, 'v3' | 'converted'>;
const NOTHING: ToldV3 = { v3: new Map(), converted: undefined };

export interface RemoteOpenApi {
  /** Moves whenever what is told in OpenAPI v2 does. */
  generation(): number;
  entries(): readonly RemoteOpenApiEntry[];
  /** The one that has a document of this path. */
  owner(path: string): RemoteApi | undefined;
  /** A document of this path that this server has made of another one's OpenAPI v2. */
  converted(path: string): ConvertedDocument | undefined;
  /** Keeps them until the signal. */
  run(): Promise<void>;
}

export interface RemoteOpenApiOptions extends BackendOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly turns: Turns;
}

function readRoot(document: unknown): Map<string, string> {
  const paths = (document as { readonly paths?: unknown } | null)?.paths;
  const found = new Map<string, string>();
  if (typeof paths !== 'object' || paths === null) return found;
  for (const [path, value] of Object.entries(paths as Record<string, unknown>).slice(0, MAX_PATHS)) {
    const url = (value as { readonly serverRelativeURL?: unknown } | null)?.serverRelativeURL;
    if (typeof url === 'string') found.set(path, url);
  }
  return found;
}

/** OpenAPI of aggregated APIs: what there is of it (kube-aggregator pkg/controllers/openapi, openapiv3). */
export function createRemoteOpenApi(options: RemoteOpenApiOptions): RemoteOpenApi {
  const { objects, clock, log, signal, turns } = options;
  const queue = createWorkQueue({
    name: 'OpenAPI of aggregated APIs',
    clock,
    baseDelayMs: REFRESH_MS,
    maxDelayMs: MAX_RETRY_MS,
  });
  const entries = new Map<string, RemoteOpenApiEntry>();
  /** Of the document that an entry was made of. */
  const versions = new Map<string, { readonly hash: string; readonly etag: string | undefined }>();
  let generation = 0;

  const get = async (api: RemoteApi, path: string, etag?: string) => {
    const late = new AbortController();
    const cancel = clock.after(TIMEOUT_MS, () => late.abort(new Error('request timed out')));
    const headers = { accept: 'application/json', ...(etag === undefined ? {} : { 'if-none-match': etag }) };
    try {
      const asked = { path, user: AGGREGATOR, headers, signal: AbortSignal.any([signal, late.signal]) };
      return await fetchDocument(api, asked, options);
    } finally {
      cancel();
    }
  };

  /** What it tells of in OpenAPI v3, or what can be made of its v2. */
  const v3Of = async (api: RemoteApi, known: ConvertedDocument | undefined): Promise<ToldV3> => {
    const answer = await get(api, '/openapi/v3');
    const { status } = answer;
    if (status === 404) {
      const converted = await convertedOf(api, await get(api, '/openapi/v2', known?.etag), { known, turns });
      return { v3: new Map(), converted };
    }
    if (status !== 200) throw new Error(`could not get list of group versions for APIService ${api.name}: ${status}`);
    return { v3: readRoot(parsed(answer)), converted: undefined };
  };

  const v2Of = async (api: RemoteApi, known: RemoteV2 | undefined): Promise<RemoteV2 | undefined> => {
    const before = known && versions.get(api.name);
    const answer = await get(api, '/openapi/v2', before?.etag);
    const { status, body, headers } = answer;
    if (status === 304) return known;
    if (status === 404) return undefined;
    if (status !== 200) throw failedV2(api, status);
    const hash = createHash('sha256').update(body).digest('base64');
    versions.set(api.name, { hash, etag: headers.etag });
    return known !== undefined && before?.hash === hash ? known : readV2(parsed(answer), api);
  };

  const reconcile = async (name: string): Promise<void> => {
    const current = (): RemoteApi | undefined => {
      const service: ReadonlyApiService | undefined = objects.get(API_SERVICES, { namespace: '', name });
      return service && remoteApi(service);
    };
    const api = current();
    if (api === undefined) {
      versions.delete(name);
      if (entries.delete(name)) generation++;
      return;
    }
    const known = entries.get(name);
    const [v3, v2] = await Promise.allSettled([v3Of(api, known?.converted), v2Of(api, known?.v2)]);
    if (current() === undefined) return;
    // What one of them has said last stays good while it does not answer.
    const { v3: paths, converted } = v3.status === 'fulfilled' ? v3.value : (known ?? NOTHING);
    const entry = { api, v3: paths, converted, v2: v2.status === 'fulfilled' ? v2.value : known?.v2 };
    entries.set(name, entry);
    if (known?.v2 !== entry.v2 || known?.api !== api) generation++;
    for (const result of [v3, v2]) if (result.status === 'rejected') throw result.reason as Error;
    queue.addAfter(name, REFRESH_MS);
  };

  return {
    generation: () => generation,
    entries: () => [...entries.values()],
    converted: path => [...entries.values()].find(({ api }) => pathOf(api) === path)?.converted,
    owner: path => [...entries.values()].find(({ v3 }) => v3.has(path))?.api,
    async run() {
      const onChange = ({ name }: { readonly name: string }): void => {
        const service: ReadonlyApiService | undefined = objects.get(API_SERVICES, { namespace: '', name });
        const known = entries.has(name);
        if (service === undefined || remoteApi(service) === undefined) {
          if (known) queue.add(name);
          return;
        }
        // One that is known and well is asked in its turn.
        if (known && queue.retries(name) === 0) return;
        queue.forget(name);
        queue.addAfter(name, SOON_MS);
      };
      follow(objects, API_SERVICES, onChange, signal);
      const failed = (name: string, error: Error): void =>
        log.info({ apiService: name, error: error.message }, 'OpenAPI of an aggregated API could not be read');
      await queue.run(1, reconcile, failed, signal);
    },
  };
}
