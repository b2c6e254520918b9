import { jsonEqual } from '../../machinery/json-equal.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, LabelSelector } from '../../machinery/types.js';
import { CLUSTER_ROLES } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';

const FIELD_MANAGER = 'clusterrole-aggregation-controller';

type ClusterRole = KubeObject & {
  rules?: unknown[] | null;
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
};

/** The rules of every role that the selectors choose, by name, each once. */
export function gatherRules(
  role: DeepReadonly<ClusterRole>,
  all: Iterable<DeepReadonly<ClusterRole>>,
): DeepReadonly<unknown[]> {
  const byName = [...all].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: unknown[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const chosen = labelSelectorAsSelector(selector);
    for (const other of byName) {
      if (other.metadata.name === role.metadata.name || !chosen.matches(other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) if (!rules.some(known => jsonEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}

/** Keeps the rules of aggregated ClusterRoles (pkg/controller/clusterroleaggregation). */
export const clusterRoleAggregationController: ControllerDefinition = {
  name: 'clusterrole-aggregation-controller',
  aliases: ['clusterrole-aggregation'],
  workers: 1,
  build({ client, informers, queue }) {
    const roles = informers.informer<ClusterRole>(CLUSTER_ROLES);
    const writer = client.resource<ClusterRole>(CLUSTER_ROLES);
    // Any role may be part of any aggregated one; there are few of those.
    const considerAll = (): void => {
      for (const role of roles.indexer.list())
        if (role.aggregationRule !== undefined) queue.add(role.metadata.name ?? '');
    };
    roles.addHandler({ add: considerAll, update: considerAll, delete: considerAll });
    return {
      async reconcile(name) {
        const role = roles.indexer.get(name);
        if (role?.aggregationRule === undefined) return;
        const rules = gatherRules(role, roles.indexer.list());
        if (jsonEqual(rules, role.rules ?? [])) return;
        const patch = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
        try {
          await writer.patch({ namespace: '', name }, patch, {
            type: 'apply',
            fieldManager: FIELD_MANAGER,
            force: true,
          });
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      },
    };
  },
};
