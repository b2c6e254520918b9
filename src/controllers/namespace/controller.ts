import { formatTime } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Namespace } from '../../machinery/types.js';
import { discoverPreferred, failingText, type DiscoveredResource } from '../../client/discovery.js';
import { NAMESPACES } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';
import { nextConditions, type Problems } from './conditions.js';
import { deleteContent } from './content.js';

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
        const failed = (message: string): void =>
          void problems.set('NamespaceDeletionDiscoveryFailure', { reason: 'DiscoveryFailed', message });
        let resources: DiscoveredResource[] = [];
        try {
          const discovered = await discoverPreferred(client);
          resources = discovered.resources.filter(({ ref, verbs }) => ref.namespaced && verbs.includes('delete'));
          const { length } = discovered.failing;
          if (length > 0)
            failed(`Discovery failed for some groups, ${length} failing: ${failingText(discovered.failing)}`);
        } catch (error) {
          failed((error as Error).message);
        }
        const sinceMs = clock.now() - Date.parse(cached.metadata.deletionTimestamp);
        const remaining = await deleteContent(client, resources, name, sinceMs, problems);
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
        if (problems.size > 0 || remaining.counts.size > 0) {
          if (remaining.estimateSeconds === 0) throw new Error([...problems.values()].map(p => p.message).join('; '));
          // Upstream waits for half the estimate; most things go much sooner.
          queue.addAfter(name, Math.min(remaining.estimateSeconds * 50 + 200, 2_000));
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
