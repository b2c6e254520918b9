import type { Client } from '../client/types.js';
import type { KubeObject } from '../machinery/types.js';
import type { ResourceNames } from './resource-names.js';
import type { ApiObject } from './types.js';

/** The field manager of what a test applies. */
export const FIELD_MANAGER = 'kubette-testing';

export const isDefinition = ({ kind }: ApiObject): boolean => kind === 'CustomResourceDefinition';
export const isNamespace = ({ kind }: ApiObject): boolean => kind === 'Namespace';
/** They would refuse what comes after them, as long as nobody answers for them. */
const isHook = ({ kind = '' }: ApiObject): boolean => kind.endsWith('WebhookConfiguration');

/** Of what others of the same list may need first. */
const rank = (object: ApiObject): number =>
  isDefinition(object) ? 0 : isNamespace(object) ? 1 : isHook(object) ? 3 : 2;

/** Definitions, namespaces, everything else as it was given, webhooks. */
export const inOrderOfApplying = <T>(items: readonly T[], objectOf: (item: T) => ApiObject): T[] =>
  items
    .map((item, index) => ({ item, index }))
    .sort((a, b) => rank(objectOf(a.item)) - rank(objectOf(b.item)) || a.index - b.index)
    .map(({ item }) => item);

/** Server-side apply. @throws StatusError as the server answered, Error for a kind that it does not have */
export async function applyOne(
  object: ApiObject,
  {
    namespace,
    force,
    fieldManager,
  }: { readonly namespace: string; readonly force: boolean; readonly fieldManager: string },
  { client, names }: Pick<Applying, 'client' | 'names'>,
): Promise<ApiObject> {
  const { apiVersion = '', kind = '', metadata = {} } = object;
  const ref = await names.ofKind(apiVersion, kind);
  const { name = '', namespace: own = namespace } = metadata;
  const key = { namespace: ref.namespaced ? own : '', name };
  return client.resource<KubeObject>(ref).patch(key, object, { type: 'apply', fieldManager, force });
}

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
  const ordered = inOrderOfApplying(
    objects.map((object, index) => ({ object, index })),
    ({ object }) => object,
  );
  const applied = new Array<ApiObject>(objects.length);
  let waiting: Promise<unknown>[] = [];
  for (const { object, index } of ordered) {
    if (!isDefinition(object)) {
      await Promise.all(waiting);
      waiting = [];
    }
    applied[index] = await applyOne(object, { namespace, force, fieldManager: FIELD_MANAGER }, { client, names });
    if (isDefinition(object)) waiting.push(established(object.metadata?.name ?? ''));
  }
  await Promise.all(waiting);
  return applied;
}
