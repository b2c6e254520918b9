import { formatTime, type Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, EndpointSlice, KubeObject } from '../../machinery/types.js';
import { createWorkQueue } from '../../machinery/work-queue.js';
import type { Objects } from '../../api/strategy.js';
import { selfContext } from '../bootstrap/ensure.js';
import {
  API_SERVICES,
  availableCondition,
  groupVersionPath,
  isAvailable,
  remoteApi,
  type ApiService,
  type ReadonlyApiService,
  type RemoteApi,
} from './api-service.js';
import { failedDiscovery, LOCAL, PASSED, unavailable, type Surroundings, type Verdict } from './availability.js';
import { fetchDocument, hostOf, type BackendOptions } from './backend.js';
import { follow } from './follow.js';
import type { AggregationMetrics } from './metrics.js';

const WORKERS = 5;
const ATTEMPTS = 5;
const ATTEMPT_MS = 5_000;
/** What changes outside of the API is noticed so late. */
const RESYNC_MS = 30_000;
const MAX_RETRY_MS = 30_000;
const SLICES = 'endpointslices.discovery.k8s.io';
const SERVICE_NAME = 'kubernetes.io/service-name';

export interface AvailabilityOptions extends BackendOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly metrics: AggregationMetrics;
}

/** Nobody of several that were asked has answered. */
class CheckError extends Error {
  override readonly name = 'CheckError';
}

async function attempt(api: RemoteApi, options: AvailabilityOptions): Promise<void> {
  const late = new AbortController();
  const cancel = options.clock.after(ATTEMPT_MS, () =>
    late.abort(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')),
  );
  const path = groupVersionPath(api);
  const url = `https://${hostOf(api, options)}${path}`;
  const user = { name: 'system:kube-aggregator', groups: ['system:masters'] };
  const failing = (text: string): CheckError => new CheckError(`failing or missing response from ${url}: ${text}`);
  try {
    const signal = AbortSignal.any([options.signal, late.signal]);
    const { status } = await fetchDocument(api, { path, user, anybody: true, signal }, options);
    if (status < 200 || status >= 300) throw failing(`bad status from ${url}: ${status}`);
  } catch (error) {
    if (error instanceof CheckError) throw error;
    throw failing(`Get ${JSON.stringify(url)}: ${(error as Error).message}`);
  } finally {
    cancel();
  }
}

/** Whether one of the servers behind the Service answers; not who it is: that is for the requests to find out. */
async function ask(api: RemoteApi, options: AvailabilityOptions): Promise<Verdict> {
  try {
    await attempt(api, options);
    return PASSED;
  } catch {
    // Others may be behind the same Service.
  }
  const others = Array.from({ length: ATTEMPTS - 1 }, () => attempt(api, options));
  const results = await Promise.allSettled(others);
  if (results.some(({ status }) => status === 'fulfilled')) return PASSED;
  const last = results.at(-1);
  return failedDiscovery(last?.status === 'rejected' ? (last.reason as Error).message : '');
}

function surroundings({ service }: RemoteApi, objects: Objects): Surroundings {
  const slices = [...objects.list(SLICES, service.namespace)] as DeepReadonly<EndpointSlice>[];
  return {
    service: objects.get('services', service),
    slices: slices.filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service.name),
  };
}

const isSaid = (service: ReadonlyApiService, verdict: Verdict): boolean => {
  const known = availableCondition(service);
  const { status, reason, message } = verdict;
  return known?.status === status && known.reason === reason && known.message === message;
};

/** The condition as it is; only another status is a transition. */
function write(object: KubeObject, verdict: Verdict, nowMs: number): void {
  const service: ApiService = object;
  service.status ??= {};
  const conditions = (service.status.conditions ??= []);
  const known = conditions.find(({ type }) => type === 'Available');
  if (known === undefined)
    return void conditions.push({ type: 'Available', lastTransitionTime: formatTime(nowMs), ...verdict });
  if (known.status !== verdict.status) known.lastTransitionTime = formatTime(nowMs);
  Object.assign(known, verdict);
}

/**
 * Keeps the Available condition of every APIService: right after a change of it, of its Service or of that one's
 * endpoints, and every half a minute (kube-aggregator pkg/controllers/status). Runs until the signal.
 */
export async function keepAvailable(options: AvailabilityOptions): Promise<void> {
  const { objects, clock, log, signal, metrics } = options;
  const queue = createWorkQueue({ name: 'availability of aggregated APIs', clock, maxDelayMs: MAX_RETRY_MS });
  const services = (): ReadonlyApiService[] => [...objects.list(API_SERVICES)] as ReadonlyApiService[];

  const reconcile = async (name: string): Promise<void> => {
    const service: ReadonlyApiService | undefined = objects.get(API_SERVICES, { namespace: '', name });
    if (service === undefined) return;
    const api = remoteApi(service);
    const verdict =
      api === undefined ? LOCAL : (unavailable(api, surroundings(api, objects)) ?? (await ask(api, options)));
    signal.throwIfAborted();
    if (!isSaid(service, verdict)) {
      const wasAvailable = isAvailable(service);
      const key = { namespace: '', name };
      const ctx = selfContext(objects, clock, signal);
      try {
        await objects.update(ctx, API_SERVICES, key, object => write(object, verdict, clock.now()), {
          subresource: 'status',
        });
        if (wasAvailable && verdict.status !== 'True') metrics.lost(name, verdict.reason);
      } catch (error) {
        // Deleted in the meantime.
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
    // Asked again soon: nothing in the API tells when a server is back.
    if (verdict.reason === 'FailedDiscoveryCheck') throw new CheckError(verdict.message);
  };

  const behind = (namespace: string, name: string): void => {
    for (const { metadata, spec } of services())
      if (spec?.service?.namespace === namespace && spec.service.name === name) queue.add(metadata.name ?? '');
  };
  follow(objects, API_SERVICES, ({ name }) => queue.add(name), signal);
  objects.subscribe?.('services', ({ namespace, name }) => behind(namespace, name), signal);
  objects.subscribe?.(
    SLICES,
    key => {
      const service = objects.get(SLICES, key)?.metadata.labels?.[SERVICE_NAME];
      if (service !== undefined) behind(key.namespace, service);
      // Whose it was is not known any more.
      else
        for (const { spec, metadata } of services())
          if (spec?.service?.namespace === key.namespace) queue.add(metadata.name ?? '');
    },
    signal,
  );
  const resync = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(RESYNC_MS, signal);
      for (const { metadata, spec } of services()) if (spec?.service !== undefined) queue.add(metadata.name ?? '');
    }
  };
  const failed = (name: string, error: Error): void => {
    if (error instanceof CheckError)
      log.info({ apiService: name, error: error.message }, 'aggregated API is not available');
    else log.error({ err: error, apiService: name }, 'could not check an APIService');
  };
  await Promise.all([
    queue.run(WORKERS, reconcile, failed, signal),
    resync().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    }),
  ]);
}
