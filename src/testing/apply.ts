import type { Client } from '../client/types.js';
import type { KubeObject } from '../machinery/types.js';
import type { ResourceNames } from './resource-names.js';
import type { ApiObject } from './types.js';

/** The field manager of what a test applies. */
export const FIELD_MANAGER = 'kubette-testing';

const isDefinition = ({ kind }: ApiObject): boolean => kind === 'CustomResourceDefinition';
const isNamespace = ({ kind }: ApiObject): boolean => kind === 'Namespace';

/** Of what others of the same list may need, as kubectl and Helm order it: what is not named comes last. */
const rank = (object: ApiObject): number => (isDefinition(object) ? 0 : isNamespace(object) ? 1 : 2);

export interface Applying {
  readonly client: Client;
  readonly names: ResourceNames;
  /** Resolves when a CustomResourceDefinition is Established. */
  readonly established: (name: string) => Promise<unknown>;
}

/**
 * Applies objects on the server's side, definitions and namespaces first: what needs them may stand before them. Gives
 * what they have become, in the order in which they were given. @throws StatusError as the server answered
 */
export async function applyAll(
  objects: readonly ApiObject[],
  { namespace, force = true }: { readonly namespace: string; readonly force?: boolean },
  { client, names, established }: Applying,
): Promise<ApiObject[]> {
  const ordered = objects
    .map((object, index) => ({ object, index }))
    .sort((a, b) => rank(a.object) - rank(b.object) || a.index - b.index);
  const applied = new Array<ApiObject>(objects.length);
  let waiting: Promise<unknown>[] = [];
  for (const { object, index } of ordered) {
    if (!isDefinition(object)) {
      await Promise.all(waiting);
      waiting = [];
    }
    const { apiVersion = '', kind = '', metadata = {} } = object;
    const ref = await names.ofKind(apiVersion, kind);
    const { name = '', namespace: own = namespace } = metadata;
    const key = { namespace: ref.namespaced ? own : '', name };
    const resource = client.resource<KubeObject>(ref);
    const result = await resource.patch(key, object, { type: 'apply', fieldManager: FIELD_MANAGER, force });
    if (isDefinition(object)) waiting.push(established(name));
    applied[index] = result;
  }
  await Promise.all(waiting);
  return applied;
}
