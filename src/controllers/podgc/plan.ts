import { isNodeReady } from '../../machinery/node-ready.js';
import type { DeepReadonly, Node, Pod } from '../../machinery/types.js';
import { isDeleting, isTerminal } from '../pods.js';

type ReadonlyPod = DeepReadonly<Pod>;

/** Upstream's --terminated-pod-gc-threshold: so many Pods that have ended are kept. */
export const TERMINATED_THRESHOLD = 12_500;

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

export interface Garbage {
  readonly pod: ReadonlyPod;
  /** For the log. */
  readonly why: string;
  /** It was disrupted: its node is gone. */
  readonly disrupted: boolean;
}

export interface GarbageFacts {
  readonly pods: Iterable<ReadonlyPod>;
  readonly node: (name: string) => DeepReadonly<Node> | undefined;
  /** Whether a node has been missing for long enough. */
  readonly isGone: (node: string) => boolean;
  readonly threshold: number;
}

const isOutOfService = (node: DeepReadonly<Node> | undefined): boolean =>
  (node === undefined || !isNodeReady(node)) && (node?.spec?.taints ?? []).some(taint => taint.key === OUT_OF_SERVICE);

/** Evicted ones first, then the oldest. */
const byAge = (a: ReadonlyPod, b: ReadonlyPod): number => {
  const evicted = ({ status }: ReadonlyPod): number => (status?.reason === 'Evicted' ? 0 : 1);
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return evicted(a) - evicted(b) || (x < y ? -1 : x > y ? 1 : 0);
};

/** Pods that nobody will ever finish or look at (pkg/controller/podgc). */
export function planGarbage({ pods, node, isGone, threshold }: GarbageFacts): Garbage[] {
  const out: Garbage[] = [];
  const ended: ReadonlyPod[] = [];
  for (const pod of pods) {
    const name = pod.spec?.nodeName ?? '';
    const add = (why: string, disrupted = false): void => void out.push({ pod, why, disrupted });
    if (name !== '' && isGone(name)) add(`node ${name} is gone`, true);
    else if (isDeleting(pod) && name === '') add('deleted before it was scheduled');
    else if (isDeleting(pod) && isOutOfService(node(name))) add(`node ${name} is out of service`);
    else if (isTerminal(pod)) ended.push(pod);
  }
  const more = Math.max(0, ended.length - threshold);
  for (const pod of ended.sort(byAge).slice(0, more))
    out.push({ pod, why: 'too many Pods have ended', disrupted: false });
  return out;
}
