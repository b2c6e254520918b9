import { wasStaged } from '../../stages/was-staged.js';
import { adoptRecords } from '../adopt.js';
import type { PendingResize } from '../resize.js';
import type { Sandbox } from '../sandbox.js';
import type { Condition, Failure } from '../status/pod-view.js';
import {
  containersOf,
  isTerminalPhase,
  newRecord,
  type ContainerRecord,
  type ReadonlyContainer,
  type ReadonlyPod,
} from '../types.js';

/** What is known of a Pod on this node. Changed by the stages of its worker only. */
export interface PodState {
  /** As the API knows it last. */
  pod: ReadonlyPod;
  /** No longer in the API. */
  gone: boolean;
  /** It is to leave no trace: it never was. */
  discarded: boolean;
  readonly records: ContainerRecord[];
  readonly startTime: number;
  /** It ran here before this agent started, and what ran is to be started again. */
  readonly restarted: boolean;
  /** It ended before this agent knew it: its status is told already. */
  readonly settled: boolean;
  /** The node has agreed to run it. */
  admitted: boolean;
  /** The node has refused to run it. */
  rejected: boolean;
  place: Sandbox | undefined;
  /** Monotonic milliseconds before which its claims are not looked at again. */
  claimsAt: number;
  /** Why a resize that was asked for has not been done. */
  pendingResize: PendingResize | undefined;
  /** It has come to its end by itself or by the node's will; the object stays. */
  finishing: Promise<void> | undefined;
  /** The Pod is being deleted. */
  ending: Promise<void> | undefined;
  /** Nothing of it runs any more, or will. */
  finished: boolean;
  failure: Failure | undefined;
  /** Stages say what its status is. */
  staged: boolean;
  /** What it is told and cannot follow, as was said last. */
  behaviourProblems: readonly string[];
  /** As last computed: the API's may lag behind what was written. */
  conditions: readonly Condition[];
  /** Aborts when the Pod begins to end: whatever start is under way stops. */
  readonly life: AbortController;
  /** Aborts when the grace period has been cut short. */
  readonly force: AbortController;
}

export function createPodState(pod: ReadonlyPod, now: number): PodState {
  const adopted = adoptRecords(pod, now);
  const settled = isTerminalPhase(pod.status?.phase);
  return {
    pod,
    gone: false,
    discarded: false,
    records: adopted?.records ?? containersOf(pod).map(({ spec, kind }) => newRecord(spec, kind)),
    startTime: pod.status?.startTime === undefined ? now : Date.parse(pod.status.startTime),
    restarted: adopted?.restarted === true,
    settled,
    // A Pod that ran here before the agent started was admitted then.
    admitted: adopted !== undefined,
    rejected: false,
    place: undefined,
    claimsAt: 0,
    pendingResize: undefined,
    finishing: undefined,
    ending: undefined,
    finished: settled,
    failure: undefined,
    staged: wasStaged(pod),
    behaviourProblems: [],
    conditions: [],
    life: new AbortController(),
    force: new AbortController(),
  };
}

/** What the Pod's spec says of a container now. */
export const specOf = ({ pod }: PodState, record: ContainerRecord): ReadonlyContainer | undefined =>
  containersOf(pod).find(c => c.spec.name === record.name)?.spec;

/** The Pod with the resources that it has been given. */
export function withResources({ pod, records }: PodState): ReadonlyPod {
  if (pod.spec === undefined) return pod;
  const containers = pod.spec.containers.map(c => {
    const resources = records.find(r => r.name === c.name)?.resources ?? c.resources;
    return resources === undefined ? c : { ...c, resources };
  });
  return { ...pod, spec: { ...pod.spec, containers } };
}
