import type { DeepReadonly, Namespace } from '../../machinery/types.js';

type NamespaceCondition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];

/** What is wrong, per condition type; a type that is absent is fine. */
export type Problems = Map<string, { reason: string; message: string }>;

/** Condition type → what it says when nothing is wrong (namespace/deletion/status_condition_utils.go). */
const CONDITIONS: readonly (readonly [string, string, string])[] = [
  ['NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'],
  ['NamespaceDeletionGroupVersionParsingFailure', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  [
    'NamespaceDeletionContentFailure',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  ['NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
];

export function nextConditions(
  old: readonly DeepReadonly<NamespaceCondition>[],
  problems: Problems,
  now: string,
): NamespaceCondition[] {
  return CONDITIONS.map(([type, okReason, okMessage]) => {
    const problem = problems.get(type);
    const next = {
      type,
      status: problem === undefined ? 'False' : 'True',
      reason: problem?.reason ?? okReason,
      message: problem?.message ?? okMessage,
    };
    const previous = old.find(condition => condition.type === type);
    if (previous?.status === next.status && previous.reason === next.reason && previous.message === next.message)
      return previous;
    return { ...next, lastTransitionTime: now };
  });
}
