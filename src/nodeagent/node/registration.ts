import type { Logger } from '../../machinery/logger.js';
import type { EventRecorder } from '../../client/event-recorder.js';
import type { ResourceClient } from '../../client/types.js';
import { formatMicroTime, type Clock } from '../../machinery/clock.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Lease, Node } from '../../machinery/types.js';
import type { ImageReference } from '../../containers/images/reference.js';
import { nodeAnnotations, nodeLabels, nodeStatus, type NodeFacts } from './node-object.js';

export interface RegistrationOptions {
  readonly facts: NodeFacts;
  readonly nodes: ResourceClient<Node>;
  readonly leases: ResourceClient<Lease>;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly log: Logger;
  /** Whether Pods can have addresses: the node has its podCIDR. */
  readonly networkReady: () => boolean;
  /** Whether the status is somebody else's for now. */
  readonly isHeld?: () => boolean;
  /** The Node as it was told last, where that is known: it need not be asked for. */
  readonly known?: (() => DeepReadonly<Node> | undefined) | undefined;
  /** In [0, 1): of a period, how long after its start a node does things for the second time. Default 1. */
  readonly phase?: number | undefined;
  /** Images that have been pulled. */
  readonly images?: () => Iterable<ImageReference>;
}

/** Keeps the Node and its Lease up to date. */
export interface Registration {
  /** Posts the status now, e.g. because the network got ready. */
  poke(): void;
  /** Registers, then heartbeats until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** As the kubelet: Lease every 10 s for 40 s, status every 10 s if it changed, else every 5 min. */
const LEASE_PERIOD_MS = 10_000;
const LEASE_SECONDS = 40;
const STATUS_PERIOD_MS = 10_000;
const STATUS_REPORT_MS = 300_000;
const RETRY_MS = 500;
const LEASE_NAMESPACE = 'kube-node-lease';

export function createRegistration(options: RegistrationOptions): Registration {
  const { facts, nodes, leases, clock, recorder, log, networkReady, images = () => [], isHeld = () => false } = options;
  const { known: told = () => undefined, phase = 1 } = options;
  const key = { namespace: '', name: facts.name };
  let wake: () => void = () => undefined;
  let reported = -Infinity;
  let wasReady = false;
  /** Registering is done once: a Node that somebody deletes stays away until its agent starts again. */
  let registered = false;
  let missing = false;

  const register = async (): Promise<DeepReadonly<Node>> => {
    const labels = nodeLabels(facts);
    const annotations = nodeAnnotations(facts);
    try {
      const node = await nodes.get(key);
      const current = node.metadata;
      const lacks = (
        have: Readonly<Record<string, string>> | undefined,
        want: Readonly<Record<string, string>>,
      ): boolean => Object.entries(want).some(([name, value]) => have?.[name] !== value);
      if (!lacks(current.labels, labels) && !lacks(current.annotations, annotations)) return node;
      return await nodes.patch(key, { metadata: { labels, annotations } }, { type: 'strategic' });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      return nodes.create('', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: facts.name, labels, annotations },
        spec: {},
        status: nodeStatus(facts, [], networkReady(), clock.now(), images()),
      });
    }
  };

  /** The Node, registered when this is the first time; undefined: it has been deleted since. */
  const findNode = async (): Promise<DeepReadonly<Node> | undefined> => {
    if (!registered) {
      const node = await register();
      registered = true;
      return node;
    }
    try {
      const node = told() ?? (await nodes.get(key));
      missing = false;
      return node;
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      if (!missing)
        log.warn({ node: facts.name }, 'the Node has been deleted: it stays away until this agent restarts');
      missing = true;
      reported = -Infinity;
      return undefined;
    }
  };

  const postStatus = async (): Promise<void> => {
    const node = await findNode();
    if (node === undefined || isHeld()) return;
    const old = node.status?.conditions ?? [];
    const status = nodeStatus(facts, old, networkReady(), clock.now(), images());
    const bare = (conditions: typeof old) =>
      conditions.map(({ type, status: s, reason, message }) => ({ type, s, reason, message }));
    const known = (type: string) => old.find(c => c.type === type);
    const own = status.conditions.map(c => known(c.type)).filter(c => c !== undefined);
    const same =
      semanticEqual(bare(own), bare(status.conditions)) &&
      semanticEqual(node.status?.addresses, status.addresses) &&
      semanticEqual(node.status?.nodeInfo, status.nodeInfo) &&
      semanticEqual(node.status?.daemonEndpoints, status.daemonEndpoints) &&
      semanticEqual(node.status?.images ?? [], status.images) &&
      semanticEqual(node.status?.features, status.features) &&
      semanticEqual(node.status?.capacity, status.capacity);
    if (same && clock.monotonic() - reported < STATUS_REPORT_MS) return;
    // Addresses merge by type: replace says that these are all.
    const addresses = [{ $patch: 'replace' }, ...status.addresses];
    await nodes.patch(key, { status: { ...status, addresses } }, { type: 'strategic', subresource: 'status' });
    reported = clock.monotonic();
    if (networkReady() && !wasReady) {
      wasReady = true;
      const object = { kind: 'Node', metadata: { name: facts.name, uid: facts.name } };
      recorder.event(object, 'Normal', 'NodeReady', `Node ${facts.name} status is now: NodeReady`);
    }
  };

  const renewLease = async (): Promise<void> => {
    // Its lease goes with the Node that owns it.
    if (missing) return;
    const at = { namespace: LEASE_NAMESPACE, name: facts.name };
    const renewTime = formatMicroTime(clock.now());
    try {
      await leases.patch(at, { spec: { renewTime, holderIdentity: facts.name } }, { type: 'merge' });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      const { uid = '' } = (await nodes.get(key)).metadata;
      await leases.create(LEASE_NAMESPACE, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { ...at, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: facts.name, uid }] },
        spec: { holderIdentity: facts.name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
      });
    }
  };

  /** Runs `work` again and again; sooner after a failure, and when poked. */
  const repeat = async (
    name: string,
    work: () => Promise<void>,
    periodMs: number,
    signal: AbortSignal,
    pokeable: boolean,
  ): Promise<void> => {
    for (let round = 0; !signal.aborted; round++) {
      let wait = round === 0 ? periodMs * phase : periodMs;
      let failed = false;
      try {
        await work();
      } catch (error) {
        wait = RETRY_MS;
        failed = true;
        log.warn({ error: (error as Error).message }, `${name} failed, will retry`);
      }
      // Stopped while it worked: the signal does not say so again.
      if (signal.aborted) return;
      await new Promise<void>(resolve => {
        const go = (): void => {
          cancel();
          signal.removeEventListener('abort', go);
          resolve();
        };
        const cancel = clock.after(wait, go, { work: failed });
        signal.addEventListener('abort', go, { once: true });
        if (pokeable) wake = go;
      });
    }
  };

  return {
    poke: () => wake(),
    async run(signal) {
      await Promise.all([
        repeat('node status', postStatus, STATUS_PERIOD_MS, signal, true),
        repeat('lease renewal', renewLease, LEASE_PERIOD_MS, signal, false),
      ]);
    },
  };
}
