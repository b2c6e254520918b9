import type { DeepReadonly, Node } from '../../../machinery/types.js';
import type { ReadonlyPod } from '../types.js';
import { obstacles, shortageRejection, unsupported, type Rejection } from './admit.js';
import { isCritical, podsToPreempt } from './preemption.js';

/** Decides for every Pod that is bound to this node whether it runs here. */
export interface Admission {
  /**
   * Undefined: the Pod is admitted, and `granted` has been called. One at a time, so that what one has taken the next
   * does not get.
   */
  admit(pod: ReadonlyPod, granted: () => void): Promise<Rejection | undefined>;
  /** Why an admitted Pod could not be here with what it now asks for; undefined when it could. */
  refit(pod: ReadonlyPod): Rejection | undefined;
}

export interface AdmissionOptions {
  readonly node: () => DeepReadonly<Node>;
  /** The Pods of this node that have been admitted and have not ended. */
  readonly admitted: () => readonly ReadonlyPod[];
  /** Ends a Pod for the sake of a critical one that lacks a resource. Resolves when it has ended. */
  readonly preempt: (victim: ReadonlyPod, resource: string) => Promise<void>;
}

export function createAdmission({ node, admitted, preempt }: AdmissionOptions): Admission {
  let turn: Promise<unknown> = Promise.resolve();

  const othersThan = (pod: ReadonlyPod): readonly ReadonlyPod[] =>
    admitted().filter(other => other.metadata.uid !== pod.metadata.uid);

  const decide = async (pod: ReadonlyPod): Promise<Rejection | undefined> => {
    const refusal = unsupported({ pod });
    if (refusal !== undefined) return refusal;
    const others = othersThan(pod);
    const found = obstacles({ pod, node: node(), others });
    const [shortage] = found.shortages;
    const [other] = found.others;
    if (shortage === undefined) return other;
    if (!isCritical(pod)) return shortageRejection(shortage);
    if (other !== undefined) return other;
    try {
      const needs = found.shortages.map(({ resource, requested, used, capacity }) => ({
        resource,
        quantity: requested - (capacity - used),
      }));
      for (const victim of podsToPreempt(pod, others, needs)) await preempt(victim, shortage.resource);
      return undefined;
    } catch (error) {
      return {
        reason: 'UnexpectedAdmissionError',
        message: `Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: ${(error as Error).message}`,
      };
    }
  };

  return {
    refit(pod) {
      const { shortages, others } = obstacles({ pod, node: node(), others: othersThan(pod) });
      return shortages[0] === undefined ? others[0] : shortageRejection(shortages[0]);
    },
    admit(pod, granted) {
      const verdict = turn.then(async () => {
        const rejection = await decide(pod);
        if (rejection === undefined) granted();
        return rejection;
      });
      turn = verdict.catch(() => undefined);
      return verdict;
    },
  };
}
