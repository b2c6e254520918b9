import { jsonEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Objects, RequestContext } from '../../api/strategy.js';
import { API_SERVICES } from '../aggregation/api-service.js';
import { groupOf, versionsOf, type Definition } from './definition.js';

const MANAGED_LABEL = 'kube-aggregator.kubernetes.io/automanaged';
/** Lower than that of any group that is built in; versions are in the order of their names. */
const PRIORITIES = { groupPriorityMinimum: 1000, versionPriority: 100 };

const nameOf = (group: string, version: string): string => `${version}.${group}`;

/** The APIServices that a definition makes its group-versions known by, by name. */
function wantedBy(definition: Definition | undefined): Map<string, KubeObject> {
  const wanted = new Map<string, KubeObject>();
  if (definition === undefined) return wanted;
  const group = groupOf(definition);
  for (const { name: version, served } of versionsOf(definition)) {
    if (!served) continue;
    const name = nameOf(group, version);
    wanted.set(name, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name, labels: { [MANAGED_LABEL]: 'true' } },
      spec: { group, version, ...PRIORITIES },
    });
  }
  return wanted;
}

export interface ApiServiceKeeper {
  /** What a definition says now; undefined: it is gone. @returns names of the APIServices to look at */
  note(name: string, definition: Definition | undefined): Iterable<string>;
  /** Whether an APIService may be this keeper's business. */
  concerns(service: DeepReadonly<KubeObject>): boolean;
  /** Makes the APIService what it has to be. */
  reconcile(name: string): Promise<void>;
}

/**
 * APIServices for the group-versions of definitions: made, put back after an edit or a deletion, and removed.
 * Source: kube-aggregator pkg/controllers/autoregister and kubernetes pkg/controlplane/controller/crdregistration.
 */
export function createApiServiceKeeper(objects: Objects, ctx: RequestContext): ApiServiceKeeper {
  const byDefinition = new Map<string, Map<string, KubeObject>>();
  /** Several definitions may have a group-version in common. */
  const wanted = new Map<string, { readonly object: KubeObject; readonly by: Set<string> }>();

  return {
    note(definitionName, definition) {
      const before = byDefinition.get(definitionName) ?? new Map<string, KubeObject>();
      const now = wantedBy(definition);
      for (const name of before.keys()) {
        const known = wanted.get(name);
        known?.by.delete(definitionName);
        if (known?.by.size === 0) wanted.delete(name);
      }
      for (const [name, object] of now) {
        const known = wanted.get(name);
        if (known === undefined) wanted.set(name, { object, by: new Set([definitionName]) });
        else known.by.add(definitionName);
      }
      if (now.size > 0) byDefinition.set(definitionName, now);
      else byDefinition.delete(definitionName);
      return new Set([...before.keys(), ...now.keys()]);
    },
    concerns: ({ metadata }) => wanted.has(metadata.name ?? '') || metadata.labels?.[MANAGED_LABEL] === 'true',
    async reconcile(name) {
      const target = wanted.get(name)?.object;
      const found = objects.get(API_SERVICES, { namespace: '', name });
      try {
        if (found === undefined) {
          if (target !== undefined) await objects.create(ctx, API_SERVICES, target);
          return;
        }
        // Somebody else's, who has taken the label away.
        if (found.metadata.labels?.[MANAGED_LABEL] !== 'true') return;
        const key = { namespace: '', name };
        const { uid } = found.metadata;
        if (target === undefined) {
          await objects.delete(ctx, API_SERVICES, key, { dryRun: false, ...(uid ? { preconditions: { uid } } : {}) });
        } else if (!jsonEqual(found['spec'], target['spec'])) {
          await objects.update(ctx, API_SERVICES, key, object => void (object['spec'] = target['spec']));
        }
      } catch (error) {
        // Made, changed or deleted meanwhile: there will be news of it.
        if (!['AlreadyExists', 'Conflict', 'NotFound'].some(reason => isStatusError(error, reason as 'Conflict')))
          throw error;
      }
    },
  };
}
