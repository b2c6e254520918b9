import type { Logger } from '../../machinery/logger.js';
import type { Informer } from '../../client/types.js';
import type { FamilyProxy } from './family-proxy.js';
import type { FamilyMetrics } from './proxy-metrics.js';
import type { FamilySyncs, SyncCause, TellSync } from './sync-feed.js';
import type { SyncResult } from '../../dataplane/proxiers/types.js';
import type { Clock } from '../../machinery/clock.js';
import { createBusyness } from '../../machinery/work-ledger.js';
import type { DeepReadonly, EndpointSlice, KubeObject, Service, ServiceCIDR } from '../../machinery/types.js';

export interface ProxyLoopOptions extends FamilyProxy {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly serviceCidrs: Informer<ServiceCIDR>;
  readonly metrics: FamilyMetrics;
  readonly syncs: FamilySyncs;
  readonly clock: Clock;
  /** Least time from the end of one sync to the start of the next (kube-proxy --iptables-min-sync-period). */
  readonly minSyncPeriodMs: number;
  /** A failed sync is tried again after this long (--iptables-sync-period). */
  readonly syncPeriodMs: number;
  readonly log: Logger;
  /** After every sync that changed something. */
  readonly onSynced: () => void;
  /** After every one that failed. */
  readonly onFailed?: (error: unknown) => void;
}

/** How far a proxy is. */
export interface ProxyProgress {
  /** Clock milliseconds of the last good sync; undefined before the first. */
  readonly lastSync: number | undefined;
  /** Clock milliseconds of the oldest change that is not loaded yet; undefined: all are. */
  readonly pendingSince: number | undefined;
}

export interface ProxyLoop extends ProxyProgress {
  /** Asks for a sync, e.g. because the node's labels changed. */
  poke(): void;
  /** Makes its first sync here and now, if all is known that it is made of. */
  loadNow(): void;
}

/** A full sync at least this often, whatever happened (docs/kube-proxy.md 1.7). */
const FULL_SYNC_MS = 3_600_000;

/** A proxy whose syncs take long rests four times as long as the last one took, but no longer than this. */
const REST = { times: 4, mostMs: 50 } as const;

/**
 * Feeds Services and EndpointSlices to the proxy and loads what it computes. The first change after a quiet time is
 * loaded at once; those that follow within the minimal period, or while it rests, are loaded together at its end. Nothing
 * is written before both informers have synced. Where a real kernel takes the rules too, the next sync waits until it has.
 */
export function runProxyLoop(options: ProxyLoopOptions, signal: AbortSignal): ProxyLoop {
  const {
    services,
    slices,
    serviceCidrs,
    proxy,
    kernel,
    host,
    metrics,
    syncs,
    clock,
    minSyncPeriodMs,
    syncPeriodMs,
    log,
    onSynced,
    onFailed = () => undefined,
  } = options;
  let lastEnd = -Infinity;
  let lastTook = 0;
  let lastFull = -Infinity;
  let lastSync: number | undefined;
  let pendingSince: number | undefined;
  let scheduled = false;
  let ready = false;
  let failed = false;
  /** A real kernel is loading rules. */
  let loading = false;
  let pendingAfter: number | undefined;
  const busyness = createBusyness(clock, 'a proxy');

  const sync = (): void => {
    scheduled = false;
    if (signal.aborted) return busyness.set(false);
    busyness.set(true);
    const begun = clock.monotonic();
    const tell = syncs.begin();
    const full = failed || begun - lastFull > FULL_SYNC_MS;
    // What changes while a real kernel loads its rules waits for the end of that.
    pendingAfter = undefined;
    try {
      const result = proxy.sync({ full });
      const { program } = result;
      if (program !== undefined) kernel.load(program);
      if (program === undefined || host === undefined) return finish(result, begun, tell);
      loading = true;
      host
        .load(program)
        .then(() => finish(result, begun, tell))
        .catch((error: unknown) => fail(error, begun, tell));
    } catch (error) {
      fail(error, begun, tell);
    }
  };
  const finish = ({ program, udpCleanup }: SyncResult, begun: number, tell: TellSync): void => {
    if (program?.full === true) lastFull = clock.monotonic();
    lastTook = clock.monotonic() - begun;
    if (udpCleanup.length > 0) kernel.cleanupUdp(udpCleanup);
    const took = { milliseconds: clock.monotonic() - begun, full: program?.full === true };
    metrics.synced(program, took);
    tell(took);
    failed = false;
    lastSync = clock.now();
    pendingSince = pendingAfter;
    if (ended()) schedule();
    if (program !== undefined && !signal.aborted) onSynced();
  };
  const fail = (error: unknown, begun: number, tell: TellSync): void => {
    failed = true;
    metrics.failed();
    const message = error instanceof Error ? error.message : String(error);
    tell({ full: false, milliseconds: clock.monotonic() - begun, error: message });
    log.error({ err: error }, 'rules could not be loaded, will retry');
    onFailed(error);
    ended();
    clock.after(syncPeriodMs, schedule, { unref: true });
  };
  /** Whether others may have waited for a real kernel. */
  const ended = (): boolean => {
    const waited = loading;
    loading = false;
    lastEnd = clock.monotonic();
    busyness.set(false);
    return waited;
  };
  const schedule = (): void => {
    if (!ready || scheduled || loading || signal.aborted || (!proxy.pending && !failed)) return;
    scheduled = true;
    metrics.queued();
    const rest = Math.max(minSyncPeriodMs, Math.min(lastTook * REST.times, REST.mostMs));
    const wait = lastEnd + rest - clock.monotonic();
    // Even a sync that is due at once waits for the other events of the same turn.
    if (wait > 0) return void clock.after(wait, sync, { work: true });
    busyness.set(true);
    setImmediate(sync);
  };

  /** Tells the proxy of every event of an informer. */
  const follow = <T extends KubeObject>(
    informer: Informer<T>,
    kind: SyncCause['kind'],
    tell: { readonly updated: (object: DeepReadonly<T>) => void; readonly deleted: (object: DeepReadonly<T>) => void },
  ): void => {
    const changed = (event: SyncCause['event'], object: DeepReadonly<T>): void => {
      (event === 'DELETED' ? tell.deleted : tell.updated)(object);
      metrics.changed(kind);
      syncs.changed(event, kind, object);
      pendingSince ??= clock.now();
      if (loading) pendingAfter ??= clock.now();
      schedule();
    };
    informer.addHandler({
      add: object => changed('ADDED', object),
      update: (_old, object) => changed('MODIFIED', object),
      delete: object => changed('DELETED', object),
    });
  };
  const tellRanges = (): void =>
    proxy.setServiceCidrs([...serviceCidrs.indexer.list()].flatMap(({ spec }) => spec?.cidrs ?? []));
  follow(services, 'Service', { updated: s => proxy.onServiceUpdate(s), deleted: s => proxy.onServiceDelete(s) });
  follow(slices, 'EndpointSlice', { updated: s => proxy.onSliceUpdate(s), deleted: s => proxy.onSliceDelete(s) });
  follow(serviceCidrs, 'ServiceCIDR', { updated: tellRanges, deleted: tellRanges });

  const begin = (): void => {
    if (ready) return;
    ready = true;
    sync();
  };
  void Promise.all([services.whenSynced(signal), slices.whenSynced(signal)]).then(begin, (error: unknown) => {
    if (!signal.aborted) log.error({ err: error }, 'the proxy cannot start');
  });

  return {
    get lastSync() {
      return lastSync;
    },
    get pendingSince() {
      return pendingSince;
    },
    poke: schedule,
    loadNow() {
      if (services.synced && slices.synced) begin();
    },
  };
}

/** As far as the one that is behind. */
export function progressOfAll(loops: readonly ProxyProgress[]): ProxyProgress {
  const oldest = (times: readonly number[]): number | undefined =>
    times.length === 0 ? undefined : Math.min(...times);
  return {
    get lastSync() {
      const times = loops.flatMap(({ lastSync }) => lastSync ?? []);
      return times.length < loops.length ? undefined : oldest(times);
    },
    get pendingSince() {
      return oldest(loops.flatMap(({ pendingSince }) => pendingSince ?? []));
    },
  };
}
