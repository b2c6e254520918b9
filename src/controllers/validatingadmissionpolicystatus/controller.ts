import { isStatusError } from '../../machinery/status.js';
import { inTurns } from '../../machinery/steps.js';
import { createTurns } from '../../machinery/turns.js';
import type { GroupVersionKind, KubeObject } from '../../machinery/types.js';
import { VALIDATING_ADMISSION_POLICIES } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';
import { kindsOf, type PolicySpec } from './kinds.js';

const NAME = 'validatingadmissionpolicy-status-controller';

type Policy = KubeObject & { spec?: PolicySpec; status?: { observedGeneration?: number } };

function paramsOf({ paramKind }: PolicySpec): GroupVersionKind | undefined {
  if (paramKind === undefined) return undefined;
  const { apiVersion = '', kind = '' } = paramKind;
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? { group: '', version: first, kind } : { group: first, version: second, kind };
}

/** Says in a policy's status what is wrong with its expressions (pkg/controller/validatingadmissionpolicystatus). */
export const validatingAdmissionPolicyStatusController: ControllerDefinition = {
  name: NAME,
  aliases: ['validatingadmissionpolicy-status'],
  workers: 5,
  build({ client, informers, queue, clock }) {
    const turns = createTurns(clock);
    const policies = informers.informer<Policy>(VALIDATING_ADMISSION_POLICIES);
    const writer = client.resource<Policy>(VALIDATING_ADMISSION_POLICIES);
    const consider = (policy: { metadata: { name?: string } }): void => queue.add(policy.metadata.name ?? '');
    policies.addHandler({ add: consider, update: (_old, policy) => consider(policy) });
    return {
      async reconcile(name) {
        const policy = policies.indexer.get(name);
        if (policy?.spec === undefined) return;
        const { spec } = policy;
        const { generation = 0 } = policy.metadata;
        if (generation <= (policy.status?.observedGeneration ?? 0)) return;
        // CEL is as long to load as all controllers together; few clusters have a policy.
        const [{ checkPolicy }, { schemaOf }] = await Promise.all([import('./check.js'), import('./schemas.js')]);
        const kinds = await kindsOf(client, spec);
        const typed = [];
        for (const kind of kinds) {
          const schema = await schemaOf(client, kind);
          if (schema !== undefined) typed.push({ kind, schema });
        }
        const params = paramsOf(spec);
        const paramsSchema = params === undefined ? undefined : await schemaOf(client, params);
        const expressionWarnings = await inTurns(checkPolicy(spec, typed, paramsSchema), turns);
        const patch = {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name },
          status: {
            observedGeneration: generation,
            typeChecking: expressionWarnings.length === 0 ? {} : { expressionWarnings },
          },
        };
        try {
          await writer.patch({ namespace: '', name }, patch, {
            type: 'apply',
            fieldManager: NAME,
            force: true,
            subresource: 'status',
          });
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      },
    };
  },
};
