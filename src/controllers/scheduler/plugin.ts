import type { NodeInfo, ReadonlyNode } from './node-info.js';
import type { PodInfo, ReadonlyPod } from './pod-info.js';

/**
 * Why a Pod cannot be where it was tried. `unresolvable`: nor would it help if other Pods went away.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
 */
export interface Rejection {
  readonly code: 'unschedulable' | 'unresolvable';
  readonly reasons: readonly string[];
  /** Set by the framework. */
  readonly plugin?: string;
}
export const unschedulable = (...reasons: string[]): Rejection => ({ code: 'unschedulable', reasons });
export const unresolvable = (...reasons: string[]): Rejection => ({ code: 'unresolvable', reasons });

/** What happens in the cluster that may make a Pod fit which did not. `pod/` is about Pods that have a node. */
export type ClusterEvent =
  | 'node/added'
  | 'node/allocatable'
  | 'node/labels'
  | 'node/taints'
  | 'node/deleted'
  | 'pod/added'
  | 'pod/labels'
  | 'pod/resized'
  | 'pod/deleted'
  | 'claim/changed'
  | 'volume/changed'
  | 'storage-class/changed'
  | 'csi-node/changed'
  | 'resource-claim/changed'
  /** The Pod itself. */
  | 'self/changed';

export type PreFiltered<S> =
  /** The plugin has nothing to do with the Pod: its filter is not asked. */
  | { readonly skip: true }
  | { readonly rejection: Rejection }
  /** `nodes` are the only ones that can be. */
  | { readonly state: S; readonly nodes?: ReadonlySet<string> };

/** One of each node, in the order of the nodes. */
export type Scores = number[];

/**
 * One scheduling plugin. S is what preFilter works out for filter, P what preScore works out for score; both belong to
 * one attempt to place one Pod.
 */
export interface Plugin<S = unknown, P = unknown> {
  readonly name: string;
  /** How much its score counts. */
  readonly weight?: number;
  /** After which events a Pod that the plugin rejected is tried again. */
  readonly events?: readonly ClusterEvent[];
  /** Why the Pod does not enter the queue at all. */
  preEnqueue?(pod: ReadonlyPod): string | undefined;
  preFilter?(pod: PodInfo): PreFiltered<S>;
  clone?(state: S): S;
  /** The state as if `other` were on the node, or were not. */
  addPod?(state: S, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  removePod?(state: S, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  filter?(state: S | undefined, pod: PodInfo, node: NodeInfo): Rejection | undefined;
  /**
   * What the plugin did for a Pod that fits nowhere. `reached`: preFilter came as far as this plugin.
   * @throws Error which is then all that is said, and nobody else is asked
   */
  postFilter?(state: S | undefined, reached: boolean): string;
  /** @returns undefined: the plugin does not score this Pod. `state` is preFilter's. */
  preScore?(pod: PodInfo, nodes: readonly NodeInfo[], state: S | undefined): P | undefined;
  score?(state: P, pod: PodInfo, node: NodeInfo): number;
  /** Brings scores to 0 to 100, in place. */
  normalize?(state: P, scores: Scores, nodes: readonly NodeInfo[]): void;
  /** Takes what the Pod needs beside the node, so that no other Pod gets it. */
  reserve?(state: S | undefined, pod: PodInfo, node: string): void;
  unreserve?(state: S | undefined, pod: PodInfo, node: string): void;
  /** Whether preBind has anything to do, which may take a while. */
  delaysBinding?(state: S | undefined, node: string): boolean;
  /** What must be true before the Pod is bound. @throws Error when it will not be */
  preBind?(state: S | undefined, pod: PodInfo, node: string, signal: AbortSignal): Promise<void>;
}

export const MAX_SCORE = 100;

/** To 0 to 100 by the largest one; `reverse` for counts of what is bad (helper/normalize_score.go). */
export function normalizeByMax(scores: Scores, reverse: boolean): void {
  const max = Math.max(0, ...scores);
  scores.forEach((score, i) => {
    const share = max === 0 ? 0 : Math.trunc((MAX_SCORE * score) / max);
    scores[i] = reverse ? MAX_SCORE - share : share;
  });
}

export type { NodeInfo, PodInfo, ReadonlyNode, ReadonlyPod };
