import { semanticEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { NetNamespace } from '../../containers/network/types.js';
import type { Admission } from './admission/admission.js';
import type { Rejection } from './admission/admit.js';
import { adoptRecords } from './adopt.js';
import { createContainerRunner } from './runner/container-runner.js';
import { graceOf } from './runner/stop-container.js';
import type { PodDependencies } from './dependencies.js';
import { podDisk, type PodDisk } from './disk-usage.js';
import { planPod } from './plan.js';
import { createPodEvents } from './pod-events.js';
import { createPodVolumes } from './volumes/pod-volumes.js';
import { checkPullSecrets } from './pull-secrets.js';
import { resizeContainers, type PendingResize } from './resize.js';
import { unpreparedClaim } from './resource-claims.js';
import type { RestartBackoff } from './restart-backoff.js';
import { createSandbox, type Sandbox } from './sandbox.js';
import { podStatus, rejectedStatus } from './status/pod-status.js';
import type { Condition, Failure } from './status/pod-view.js';
import { createStatusWriter } from './status/status-writer.js';
import {
  containersOf,
  isTerminalPhase,
  newRecord,
  type ContainerRecord,
  type ReadonlyContainer,
  type ReadonlyPod,
} from './types.js';
import { hasRefreshable } from './volumes/set-up-volumes.js';

/** Runs one Pod from its binding to its end. One per UID. */
export interface PodWorker {
  readonly pod: ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  /** The Pod's network namespace once it has one. */
  readonly network: NetNamespace | undefined;
  update(pod: ReadonlyPod): void;
  /** The Pod is gone from the API: end it without further ado. */
  removed(): void;
  /** Looks again, e.g. because the node got its podCIDR. */
  kick(): void;
  /** The node has agreed to run it, and it has not ended: it takes of the node's resources. */
  readonly active: boolean;
  /** The Pod with the resources that it has been given: a resize that waits takes nothing yet. */
  readonly allocated: ReadonlyPod;
  /** What it has written to the node's disk, as the eviction manager counts it. */
  diskUsage(): PodDisk;
  /** Ends a Pod that is to fail for the node's sake. Resolves when its containers have ended. */
  fail(failure: Failure, graceMs: number): Promise<void>;
  /** Resolves when nothing of the Pod is left on this node. */
  readonly done: Promise<void>;
}

const RETRY_MS = 1_000;
const DEFERRED_RETRY_MS = 5_000;
const CLAIMS_RETRY_MS = 5_000;
/** worker calculateEffectiveGracePeriod: never less than a second, so that containers see SIGTERM. */
const MIN_GRACE_MS = 1_000;

export function createPodWorker(
  first: ReadonlyPod,
  deps: PodDependencies,
  admission: Admission,
  backoff: RestartBackoff,
  stop: AbortSignal,
): PodWorker {
  const { clock, log, pods, nodeIP } = deps;
  const uid = first.metadata.uid ?? '';
  const { namespace = '', name = '' } = first.metadata;
  const hostNetwork = first.spec?.hostNetwork === true;
  let pod = first;
  let gone = false;
  const adopted = adoptRecords(first, clock.now());
  const records: ContainerRecord[] =
    adopted?.records ?? containersOf(first).map(({ spec, kind }) => newRecord(spec, kind));
  let place: Sandbox | undefined;
  /** Clock milliseconds before which its claims are not looked at again. */
  let claimsAt = 0;
  /** The Pod is being deleted. */
  let ending: Promise<void> | undefined;
  /** It has come to its end by itself or by the node's will; the object stays. */
  let finishing: Promise<void> | undefined;
  /** It ended before this agent knew it: its status is told already. */
  const settled = isTerminalPhase(first.status?.phase);
  let finished = settled;
  /** A Pod that ran here before the agent started was admitted then. */
  let admitted = adopted !== undefined;
  let rejected = false;
  let failure: Failure | undefined;
  /** Why a resize that was asked for has not been done. */
  let pendingResize: PendingResize | undefined;
  let conditions: readonly Condition[] = [];
  const startTime = first.status?.startTime === undefined ? clock.now() : Date.parse(first.status.startTime);
  /** Aborts when the Pod begins to end: whatever start is under way stops. */
  const life = new AbortController();
  /** Aborts when the grace period has been cut short. */
  const force = new AbortController();
  let resolveDone: () => void = () => undefined;
  const done = new Promise<void>(resolve => (resolveDone = resolve));

  const events = createPodEvents(deps.recorder, () => pod);
  const writer = createStatusWriter({
    pods,
    latest: () => pod,
    clock,
    signal: stop,
    onError: error =>
      log.warn({ pod: `${namespace}/${name}`, error: error.message }, 'status update failed, will retry'),
  });
  /** The earliest moment to look again; whatever else waits is found then. */
  let timer: { due: number; cancel: () => void } | undefined;
  const kickAfter = (ms: number): void => {
    const due = clock.monotonic() + ms;
    if (timer !== undefined && timer.due <= due) return;
    timer?.cancel();
    const cancel = clock.after(ms, () => {
      timer = undefined;
      kick();
    });
    timer = { due, cancel };
  };
  let dirty = false;
  let running = false;
  const kick = (): void => {
    dirty = true;
    if (running) return;
    running = true;
    void loop();
  };
  const loop = async (): Promise<void> => {
    while (dirty && !stop.aborted) {
      dirty = false;
      try {
        await sync();
      } catch (error) {
        log.warn({ err: error, pod: `${namespace}/${name}` }, 'Pod could not be synced, will retry');
        kickAfter(RETRY_MS);
      }
    }
    running = false;
  };
  const runner = createContainerRunner({ deps, pod: () => pod, records, events, backoff, kick, kickAfter });
  const volumes = createPodVolumes({ pod: () => pod, deps, events, kickAfter });
  if (adopted?.restarted === true && !finished)
    events.normal('SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');

  const publish = (): void => {
    if (gone || settled) return;
    if (rejected && failure !== undefined) return writer.write(rejectedStatus(pod, failure, startTime));
    const status = podStatus({
      pod,
      records,
      nodeIP,
      podIP: place?.network.addresses[0] ?? (hostNetwork ? nodeIP : undefined),
      startTime,
      sandboxReady: place !== undefined && volumes.mounted !== undefined && !finished,
      finished,
      ...(failure === undefined ? {} : { failure }),
      ...(pendingResize === undefined ? {} : { pendingResize }),
      now: clock.now(),
      previous: conditions,
    });
    conditions = (status.conditions ?? []).filter(c => c.type !== 'PodScheduled');
    writer.write(status);
  };

  const specOf = (record: ContainerRecord): ReadonlyContainer | undefined =>
    containersOf(pod).find(c => c.spec.name === record.name)?.spec;

  /** Sandbox and volumes. False: not yet. */
  const prepare = async (): Promise<boolean> => {
    if (place === undefined) {
      const made = createSandbox(pod, records, deps, events);
      if (made === undefined) return false;
      if ('retryMs' in made) {
        kickAfter(made.retryMs);
        return false;
      }
      place = made;
      deps.counters.increment('kubelet_started_pods_total');
      await checkPullSecrets(pod, deps.sources, events);
    }
    if (volumes.mounted === undefined) {
      if (clock.now() < claimsAt) return false;
      const unprepared = await unpreparedClaim(pod, deps.sources);
      if (unprepared !== undefined) {
        events.warning('FailedPrepareDynamicResources', unprepared);
        claimsAt = clock.now() + CLAIMS_RETRY_MS;
        kickAfter(CLAIMS_RETRY_MS);
        return false;
      }
    }
    return volumes.ensure(place.network.addresses[0]);
  };

  const sync = async (): Promise<void> => {
    if (ending !== undefined) {
      // Containers that end one by one show in the status meanwhile.
      publish();
      return;
    }
    if (gone || pod.metadata.deletionTimestamp !== undefined) {
      ending = end();
      return;
    }
    if (finishing !== undefined) return publish();
    if (finished) return;
    if (!admitted) {
      const rejection = await admission.admit(pod, () => (admitted = true));
      if (rejection !== undefined) return reject(rejection);
    }
    const deadline = pod.spec?.activeDeadlineSeconds;
    if (deadline !== undefined) {
      const left = startTime + deadline * 1000 - clock.now();
      if (left <= 0) {
        const message = 'Pod was active on the node longer than the specified deadline';
        events.normal('DeadlineExceeded', message);
        return void fail({ reason: 'DeadlineExceeded', message }, graceOf(pod));
      }
      kickAfter(left);
    }
    for (const { spec, kind } of containersOf(pod))
      if (!records.some(r => r.name === spec.name)) records.push(newRecord(spec, kind));
    if (!(await prepare()) || place === undefined || volumes.mounted === undefined) return publish();
    restartChanged();
    pendingResize = resizeContainers({
      pod,
      records,
      allocatable: deps.allocatable,
      refit: () => admission.refit(pod),
      before: pendingResize,
      specOf,
      stop: restart,
      events,
    });
    // There may be room when another Pod has ended.
    if (pendingResize?.reason === 'Deferred') kickAfter(DEFERRED_RETRY_MS);
    const plan = planPod(pod, records);
    if (plan.finished) return void finish(graceOf(pod));
    for (const next of plan.start) {
      const record = records.find(r => r.name === next);
      const spec = record === undefined ? undefined : specOf(record);
      if (record === undefined || spec === undefined || life.signal.aborted) continue;
      const { network, processes } = place;
      await runner.start(record, spec, { network, processes, volumes: volumes.mounted, signal: life.signal });
      // With several to start, what one waits for must not hide that another runs.
      if (record.running !== undefined && spec.lifecycle?.postStart !== undefined) publish();
    }
    publish();
    if (planPod(pod, records).start.some(next => records.find(r => r.name === next)?.state.kind === 'terminated'))
      dirty = true;
  };

  /** A container whose image was changed is stopped; its restart policy then starts it with the new one. */
  const restartChanged = (): void => {
    for (const record of records) {
      const spec = specOf(record);
      if (record.running === undefined || record.stopping || spec === undefined) continue;
      if (spec.image === record.startedImage || record.kind === 'ephemeral') continue;
      restart(record, spec, `Container ${record.name} definition changed, will be restarted`);
    }
  };

  /** Stops a container; its restart policy then starts it again. */
  const restart = (record: ContainerRecord, spec: ReadonlyContainer, message: string): void =>
    void runner.stop(record, spec, { graceMs: graceOf(pod), force: force.signal, message });

  /** Ends every container that still runs: main containers together, then sidecars, last started first. */
  const stopAll = async (graceMs: number, message?: string): Promise<void> => {
    const began = clock.monotonic();
    const stopOne = async (record: ContainerRecord): Promise<void> => {
      const spec = specOf(record);
      if (spec === undefined || record.running === undefined) return;
      const left = Math.max(0, graceMs - (clock.monotonic() - began));
      await runner.stop(record, spec, {
        graceMs: left,
        force: force.signal,
        ...(message === undefined ? {} : { message }),
      });
    };
    await Promise.all(records.filter(r => r.kind !== 'sidecar').map(stopOne));
    for (const record of records.filter(r => r.kind === 'sidecar').reverse()) await stopOne(record);
  };

  /** All that had to run has, or nothing may any more. */
  const finish = (graceMs: number): Promise<void> => {
    finishing ??= (async () => {
      life.abort(new Error('the Pod has come to its end'));
      runner.stopHealthProbes();
      await stopAll(graceMs);
      finished = true;
      publish();
      release();
    })();
    return finishing;
  };

  const fail = (why: Failure, graceMs: number): Promise<void> => {
    if (finished || ending !== undefined) return ending ?? Promise.resolve();
    if (finishing === undefined) failure = why;
    return finish(graceMs);
  };

  const reject = (why: Rejection): void => {
    events.warning(why.reason, why.message);
    const counted = why.reason.includes('/') ? 'OutOfExtendedResources' : why.reason;
    deps.counters.increment('kubelet_admission_rejections_total', { reason: counted });
    failure = why;
    rejected = true;
    finished = true;
    publish();
  };

  const release = (): void => {
    place?.detach();
    place = undefined;
    timer?.cancel();
    timer = undefined;
    volumes.stop();
  };

  const graceNow = (): number => {
    const seconds = pod.metadata.deletionGracePeriodSeconds;
    return Math.max(MIN_GRACE_MS, seconds === undefined ? graceOf(pod) : seconds * 1000);
  };

  const end = async (): Promise<void> => {
    life.abort(new Error('the Pod is being deleted'));
    runner.stopHealthProbes();
    // Containers that are being stopped already have until then and no longer.
    if (finishing !== undefined && !finished) clock.after(graceNow(), () => force.abort());
    await stopAll(graceNow());
    finished = true;
    publish();
    release();
    backoff.forget(`${uid}/`);
    while (!gone && !stop.aborted) {
      await writer.flush();
      try {
        await pods.delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
        break;
      } catch (error) {
        if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) break;
        log.warn(
          { pod: `${namespace}/${name}`, error: (error as Error).message },
          'deletion not confirmed, will retry',
        );
        await clock.sleep(RETRY_MS, stop).catch(() => undefined);
      }
    }
    resolveDone();
  };

  const shorten = (before: ReadonlyPod): void => {
    const was = before.metadata.deletionGracePeriodSeconds;
    const now = pod.metadata.deletionGracePeriodSeconds;
    if (ending === undefined || was === undefined || now === undefined || now >= was) return;
    clock.after(Math.max(MIN_GRACE_MS, now * 1000), () => force.abort());
  };

  return {
    get pod() {
      return pod;
    },
    records,
    get network() {
      return place?.network;
    },
    update(next) {
      const before = pod;
      pod = next;
      if (next.metadata.deletionTimestamp !== undefined && ending === undefined)
        life.abort(new Error('the Pod is being deleted'));
      shorten(before);
      // The Pod's own metadata shows in downward API volumes as soon as it changes.
      const metadataChanged = !semanticEqual(
        [before.metadata.labels, before.metadata.annotations],
        [next.metadata.labels, next.metadata.annotations],
      );
      if (metadataChanged && hasRefreshable(next)) void volumes.refresh();
      kick();
    },
    removed() {
      gone = true;
      life.abort(new Error('the Pod is gone'));
      if (ending !== undefined) clock.after(MIN_GRACE_MS, () => force.abort());
      kick();
    },
    kick,
    get active() {
      return admitted && !finished;
    },
    get allocated() {
      return withResources(pod, records);
    },
    diskUsage: () => podDisk(pod, records, volumes.mounted),
    fail,
    done,
  };
}

function withResources(pod: ReadonlyPod, records: readonly ContainerRecord[]): ReadonlyPod {
  if (pod.spec === undefined) return pod;
  const containers = pod.spec.containers.map(c => {
    const resources = records.find(r => r.name === c.name)?.resources ?? c.resources;
    return resources === undefined ? c : { ...c, resources };
  });
  return { ...pod, spec: { ...pod.spec, containers } };
}
