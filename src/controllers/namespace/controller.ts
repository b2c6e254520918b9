import { formatTime, type Clock } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, Namespace } from '../../machinery/types.js';
import { discoverPreferred, type DiscoveredResource } from '../../client/discovery.js';
import { resourcePath } from '../../client/rest-client.js';
import { NAMESPACES } from '../../client/resources.js';
import type { Client } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';

type NamespaceCondition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];

/** What is wrong, per condition type; a type that is absent is fine. */
type Problems = Map<string, { reason: string; message: string }>;

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

interface Remaining {
  /** "configmaps. has 2 resource instances" → count, by resource. */
  readonly counts: Map<string, number>;
  readonly finalizers: Map<string, number>;
  /** Longest grace a remaining Pod still has, in seconds. */
  graceSeconds: number;
}

const listText = (counts: Map<string, number>, text: (name: string, count: number) => string): string =>
  [...counts]
    .map(([name, count]) => text(name, count))
    .sort()
    .join(', ');

function remainingProblems(remaining: Remaining, problems: Problems): void {
  if (remaining.counts.size > 0)
    problems.set('NamespaceContentRemaining', {
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${listText(remaining.counts, (name, n) => `${name} has ${n} resource instances`)}`,
    });
  if (remaining.finalizers.size > 0)
    problems.set('NamespaceFinalizersRemaining', {
      reason: 'SomeFinalizersRemain',
      message: `Some content in the namespace has finalizers remaining: ${listText(remaining.finalizers, (name, n) => `${name} in ${n} resource instances`)}`,
    });
}

/** Asks for the deletion of everything in the namespace, then looks at what is left. */
async function deleteContent(
  client: Client,
  resources: readonly DiscoveredResource[],
  namespace: string,
  clock: Clock,
  problems: Problems,
): Promise<Remaining> {
  const remaining: Remaining = { counts: new Map(), finalizers: new Map(), graceSeconds: 0 };
  const failures: string[] = [];
  await Promise.all(
    resources.map(async ({ ref, verbs }) => {
      const name = `${ref.resource}.${ref.group}`;
      try {
        const path = resourcePath(ref, namespace);
        if (verbs.includes('deletecollection')) {
          await client.request('DELETE', path, {
            kind: 'DeleteOptions',
            apiVersion: 'v1',
            propagationPolicy: 'Background',
          });
        } else if (verbs.includes('delete')) {
          const { items } = await client.resource(ref).list({ namespace });
          for (const item of items)
            await client
              .resource(ref)
              .delete({ namespace, name: item.metadata.name ?? '' }, { propagationPolicy: 'Background' });
        }
        if (!verbs.includes('list')) return;
        const { items } = await client.resource<KubeObject>(ref).list({ namespace });
        if (items.length === 0) return;
        remaining.counts.set(name, items.length);
        for (const item of items) {
          for (const finalizer of item.metadata.finalizers ?? [])
            remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1);
          const due = Date.parse(item.metadata.deletionTimestamp ?? '') - clock.now();
          if (due > 0) remaining.graceSeconds = Math.max(remaining.graceSeconds, due / 1000);
        }
      } catch (error) {
        if (isStatusError(error, 'NotFound') || isStatusError(error, 'MethodNotAllowed')) return;
        failures.push(
          `unexpected items still remain in namespace: ${namespace} for gvr: ${name}: ${(error as Error).message}`,
        );
      }
    }),
  );
  if (failures.length > 0)
    problems.set('NamespaceDeletionContentFailure', {
      reason: 'ContentDeletionFailed',
      message: `Failed to delete all resource types, ${failures.length} remaining: ${failures.sort().join(', ')}`,
    });
  remainingProblems(remaining, problems);
  return remaining;
}

/** Empties terminating namespaces and then lets them go (pkg/controller/namespace). */
export const namespaceController: ControllerDefinition = {
  name: 'namespace-controller',
  aliases: ['namespace'],
  workers: 10,
  build({ client, informers, queue, clock }) {
    const namespaces = informers.informer<Namespace>(NAMESPACES);
    const writer = client.resource<Namespace>(NAMESPACES);
    const consider = (namespace: DeepReadonly<Namespace>): void => {
      if (namespace.metadata.deletionTimestamp !== undefined) queue.add(namespace.metadata.name ?? '');
    };
    namespaces.addHandler({ add: consider, update: (_old, namespace) => consider(namespace) });

    return {
      async reconcile(name) {
        const cached = namespaces.indexer.get(name);
        if (cached?.metadata.deletionTimestamp === undefined) return;
        if ((cached.spec?.finalizers ?? []).length === 0) return;
        const problems: Problems = new Map();
        let resources: DiscoveredResource[] = [];
        try {
          resources = (await discoverPreferred(client)).filter(
            resource => resource.ref.namespaced && resource.verbs.includes('delete'),
          );
        } catch (error) {
          problems.set('NamespaceDeletionDiscoveryFailure', {
            reason: 'DiscoveryFailed',
            message: `Discovery failed for some groups: ${(error as Error).message}`,
          });
        }
        const remaining = await deleteContent(client, resources, name, clock, problems);
        const conditions = nextConditions(cached.status?.conditions ?? [], problems, formatTime(clock.now()));
        let current = cached as Namespace;
        if (
          JSON.stringify(conditions) !== JSON.stringify(cached.status?.conditions ?? []) ||
          cached.status?.phase !== 'Terminating'
        ) {
          current = await writer.update(
            { ...current, status: { ...current.status, phase: 'Terminating', conditions } },
            { subresource: 'status' },
          );
        }
        if (problems.size > 0) {
          // Pods leave within their grace period; anything else is looked at again soon.
          queue.addAfter(name, remaining.graceSeconds > 0 ? Math.min(remaining.graceSeconds * 500 + 250, 5_000) : 250);
          return;
        }
        const finalizers = (current.spec?.finalizers ?? []).filter(finalizer => finalizer !== 'kubernetes');
        try {
          await writer.update({ ...current, spec: { ...current.spec, finalizers } }, { subresource: 'finalize' });
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      },
    };
  },
};
