import { semanticEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import { joinStreams } from '../network/join-streams.js';
import { NetworkError } from '../network/errors.js';
import type { NetNamespace } from '../network/types.js';
import { adoptRecords } from './adopt.js';
import { beyondCapacity, podResources, showPodCgroup, type Resources } from './cgroup.js';
import { createContainerRunner, graceOf } from './container-runner.js';
import type { PodDependencies } from './dependencies.js';
import { planPod } from './plan.js';
import { createPodEvents } from './pod-events.js';
import type { RestartBackoff } from './restart-backoff.js';
import { forbiddenSysctl } from './security.js';
import { podStatus, type Condition } from './status.js';
import { createStatusWriter } from './status-writer.js';
import {
  containersOf,
  isTerminalPhase,
  newRecord,
  type ContainerRecord,
  type ReadonlyContainer,
  type ReadonlyPod,
} from './types.js';
import { hasRefreshable, MountError, refreshVolumeContent, setUpVolumes, type SetUpVolumes } from './volumes.js';

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
  /** Resolves when nothing of the Pod is left on this node. */
  readonly done: Promise<void>;
}

const RETRY_MS = 1_000;
/** The kubelet's sync period, which is how long a changed ConfigMap takes to show in a volume. */
const VOLUME_REFRESH_MS = 60_000;
const NO_ADDRESS_RETRY_MS = 5_000;
const MOUNT_RETRY = { firstMs: 500, maxMs: 122_000 };
/** worker calculateEffectiveGracePeriod: never less than a second, so that containers see SIGTERM. */
const MIN_GRACE_MS = 1_000;

export function createPodWorker(
  first: ReadonlyPod,
  deps: PodDependencies,
  backoff: RestartBackoff,
  stop: AbortSignal,
): PodWorker {
  const { clock, network, log, pods, nodeIP } = deps;
  const uid = first.metadata.uid ?? '';
  const { namespace = '', name = '' } = first.metadata;
  const hostNetwork = first.spec?.hostNetwork === true;
  let pod = first;
  let gone = false;
  const adopted = adoptRecords(first, clock.now());
  const records: ContainerRecord[] =
    adopted?.records ?? containersOf(first).map(({ spec, kind }) => newRecord(spec, kind));
  let place: { network: NetNamespace; detach: () => void } | undefined;
  let volumes: SetUpVolumes | undefined;
  let mountDelay = MOUNT_RETRY.firstMs;
  let mountFailedAt: number | undefined;
  let cancelRefresh: () => void = () => undefined;
  let ending: Promise<void> | undefined;
  let finished = isTerminalPhase(first.status?.phase);
  let failure: { reason: string; message: string } | undefined;
  /** Why a resize cannot be done on this node. */
  let infeasible: string | undefined;
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
  const runner = createContainerRunner({ deps, pod: () => pod, events, backoff, kick, kickAfter });
  if (adopted?.restarted === true && !finished)
    events.normal('SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');

  const publish = (): void => {
    if (gone) return;
    const status = podStatus({
      pod,
      records,
      nodeIP,
      podIP: place?.network.address ?? (hostNetwork ? nodeIP : undefined),
      startTime,
      sandboxReady: place !== undefined && volumes !== undefined && !finished,
      finished,
      ...(failure === undefined ? {} : { failure }),
      ...(infeasible === undefined ? {} : { infeasible }),
      now: clock.now(),
      previous: conditions,
    });
    conditions = (status.conditions ?? []).filter(c => c.type !== 'PodScheduled');
    writer.write(status);
  };

  const specOf = (record: ContainerRecord): ReadonlyContainer | undefined =>
    containersOf(pod).find(c => c.spec.name === record.name)?.spec;

  /** Address and volumes. False: not yet. */
  const prepare = async (): Promise<boolean> => {
    if (place === undefined) {
      const found = hostNetwork ? { network: network.node, detach: () => undefined } : attach();
      if (found === undefined) return false;
      place = found;
    }
    if (volumes !== undefined) return true;
    if (mountFailedAt !== undefined && clock.now() < mountFailedAt + mountDelay) return false;
    try {
      const { sources, allocatable, hostTree, nodeTrees } = deps;
      const addresses = { podIP: place.network.address, nodeIP };
      volumes = await setUpVolumes({ pod, addresses, sources, allocatable, hostTree, nodeTrees });
      scheduleRefresh();
    } catch (error) {
      if (!(error instanceof MountError)) throw error;
      events.warning('FailedMount', error.message);
      if (mountFailedAt !== undefined) mountDelay = Math.min(MOUNT_RETRY.maxMs, mountDelay * 2);
      mountFailedAt = clock.now();
      kickAfter(mountDelay);
      return false;
    }
    return true;
  };

  const attach = (): { network: NetNamespace; detach: () => void } | undefined => {
    const ips = deps.ips();
    if (ips === undefined) return undefined;
    // A Pod from before a restart of this agent keeps its address: the manager has reserved it.
    const address = pod.status?.podIP ?? ips.allocate();
    if (address === undefined) {
      events.warning('FailedCreatePodSandBox', 'Failed to create pod sandbox: no IP addresses available in range set');
      kickAfter(NO_ADDRESS_RETRY_MS);
      return undefined;
    }
    const attached = network.attach(address, `pod ${namespace}/${name}`);
    const closers = openHostPorts(address);
    closers.push(
      showPodCgroup(deps.hostTree, pod, () =>
        podResources(records.filter(r => r.kind === 'regular').map(r => r.resources)),
      ),
    );
    return {
      network: attached,
      detach() {
        for (const close of closers) close();
        attached.detach();
        ips.release(address);
      },
    };
  };

  /** hostPort, as the portmap CNI plugin: the node's port leads to the Pod's. */
  const openHostPorts = (address: string): (() => void)[] =>
    (first.spec?.containers ?? []).flatMap(c =>
      (c.ports ?? []).flatMap(({ hostPort, hostIP = '', containerPort, protocol = 'TCP' }) => {
        if (hostPort === undefined || hostPort === 0) return [];
        const to = { address, port: containerPort };
        const on = hostIP === '' ? {} : { address: hostIP };
        try {
          if (protocol === 'UDP')
            return [network.node.listenUdp(hostPort, payload => network.node.exchange(to, payload), on)];
          return [
            network.node.listen(
              hostPort,
              stream => {
                network.node.connect(to).then(
                  onward => joinStreams(stream, onward),
                  () => stream.destroy(new NetworkError('ECONNRESET')),
                );
              },
              on,
            ),
          ];
        } catch (error) {
          events.warning('HostPortConflict', `host port ${hostPort} is taken: ${(error as Error).message}`);
          return [];
        }
      }),
    );

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
    if (finished) return;
    const forbidden = adopted === undefined ? forbiddenSysctl(pod) : undefined;
    if (forbidden !== undefined) {
      const message = `forbidden sysctl: ${JSON.stringify(forbidden)} not allowlisted`;
      events.warning('SysctlForbidden', message);
      failure = { reason: 'SysctlForbidden', message: `Pod was rejected: ${message}` };
      return finish();
    }
    const deadline = pod.spec?.activeDeadlineSeconds;
    if (deadline !== undefined) {
      const left = startTime + deadline * 1000 - clock.now();
      if (left <= 0) return exceedDeadline();
      kickAfter(left);
    }
    for (const { spec, kind } of containersOf(pod))
      if (!records.some(r => r.name === spec.name)) records.push(newRecord(spec, kind));
    if (!(await prepare()) || place === undefined || volumes === undefined) return publish();
    restartChanged();
    resize();
    const plan = planPod(pod, records);
    if (plan.finished) return finish();
    for (const next of plan.start) {
      const record = records.find(r => r.name === next);
      const spec = record === undefined ? undefined : specOf(record);
      if (record === undefined || spec === undefined || life.signal.aborted) continue;
      await runner.start(record, spec, { network: place.network, volumes, signal: life.signal });
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
      const message = `Container ${record.name} definition changed, will be restarted`;
      void runner.stop(record, spec, { graceMs: graceOf(pod), force: force.signal, message });
    }
  };

  /**
   * Gives running containers the resources that the spec asks for since a resize; where the container's policy says so,
   * by a restart. What the node could never hold stays as it was.
   */
  const resize = (): void => {
    const wanted = (record: ContainerRecord): Resources => specOf(record)?.resources ?? {};
    const changed = records.filter(
      r => r.running !== undefined && !r.stopping && r.kind !== 'ephemeral' && !semanticEqual(r.resources, wanted(r)),
    );
    infeasible = undefined;
    if (changed.length === 0) return;
    const regular = (pod.spec?.containers ?? []).map(c => c.resources ?? {});
    const beyond = beyondCapacity(regular, deps.allocatable);
    if (beyond !== undefined) {
      infeasible = `Node didn't have enough capacity: ${beyond.resource}, requested: ${beyond.requested}, capacity: ${beyond.capacity}`;
      return;
    }
    for (const record of changed) {
      const spec = specOf(record);
      const next = wanted(record);
      const restarts = (spec?.resizePolicy ?? []).some(
        ({ resourceName, restartPolicy }) =>
          restartPolicy === 'RestartContainer' &&
          !semanticEqual(
            [record.resources.requests?.[resourceName], record.resources.limits?.[resourceName]],
            [next.requests?.[resourceName], next.limits?.[resourceName]],
          ),
      );
      if (spec === undefined || !restarts) record.resources = next;
      else {
        const message = `Container ${record.name} resize requires restart`;
        void runner.stop(record, spec, { graceMs: graceOf(pod), force: force.signal, message });
      }
    }
  };

  /** Brings changed ConfigMaps and Secrets into the mounted volumes. */
  const refreshVolumes = async (): Promise<void> => {
    cancelRefresh();
    if (volumes === undefined || place === undefined || ending !== undefined || finished) return;
    const { sources, allocatable, hostTree, nodeTrees } = deps;
    const addresses = { podIP: place.network.address, nodeIP };
    try {
      await refreshVolumeContent(volumes, { pod, addresses, sources, allocatable, hostTree, nodeTrees });
    } catch (error) {
      // What was mounted stays, as on a real node.
      log.info({ pod: `${namespace}/${name}`, error: (error as Error).message }, 'volumes could not be refreshed');
    }
    scheduleRefresh();
  };
  const scheduleRefresh = (): void => {
    if (hasRefreshable(pod)) cancelRefresh = clock.after(VOLUME_REFRESH_MS, () => void refreshVolumes());
  };

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

  /** All that had to run has: a Job's Pod, or one that failed for good. */
  const finish = async (): Promise<void> => {
    await stopAll(graceOf(pod));
    finished = true;
    publish();
    release();
  };

  const exceedDeadline = async (): Promise<void> => {
    failure = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
    events.normal('DeadlineExceeded', failure.message);
    await finish();
  };

  const release = (): void => {
    place?.detach();
    place = undefined;
    timer?.cancel();
    timer = undefined;
    cancelRefresh();
  };

  const graceNow = (): number => {
    const seconds = pod.metadata.deletionGracePeriodSeconds;
    return Math.max(MIN_GRACE_MS, seconds === undefined ? graceOf(pod) : seconds * 1000);
  };

  const end = async (): Promise<void> => {
    life.abort(new Error('the Pod is being deleted'));
    runner.stopHealthProbes();
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
      if (metadataChanged && hasRefreshable(next)) void refreshVolumes();
      kick();
    },
    removed() {
      gone = true;
      life.abort(new Error('the Pod is gone'));
      if (ending !== undefined) clock.after(MIN_GRACE_MS, () => force.abort());
      kick();
    },
    kick,
    done,
  };
}
