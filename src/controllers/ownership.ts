import { isStatusError } from '../machinery/status.js';
import type { DeepReadonly, KubeObject, OwnerReference } from '../machinery/types.js';
import type { Selector } from '../machinery/labels.js';
import type { Indexer, ResourceClient } from '../client/types.js';

export const controllerOf = (object: DeepReadonly<KubeObject>): DeepReadonly<OwnerReference> | undefined =>
  object.metadata.ownerReferences?.find(reference => reference.controller === true);

/** Index by the controlling owner's uid, of everything that controllers own. */
export const CONTROLLER_INDEX = 'controller';
export const byController = (object: DeepReadonly<KubeObject>): readonly string[] => {
  const owner = controllerOf(object);
  return [owner === undefined ? orphansOf(object.metadata.namespace) : owner.uid];
};
const orphansOf = (namespace = ''): string => `orphans of ${namespace}`;

/**
 * What an owner controls or could adopt, by the index "controller": a sync costs what its owner has and not what its
 * namespace has.
 */
export const ownedOrOrphaned = <T extends KubeObject>(
  indexer: Indexer<T>,
  { metadata }: DeepReadonly<KubeObject>,
): DeepReadonly<T>[] => [
  ...indexer.byIndex(CONTROLLER_INDEX, metadata.uid ?? ''),
  ...indexer.byIndex(CONTROLLER_INDEX, orphansOf(metadata.namespace)),
];

export const controllerReference = (
  owner: DeepReadonly<KubeObject>,
  apiVersion: string,
  kind: string,
): OwnerReference => ({
  apiVersion,
  kind,
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

/**
 * Adopts matching orphans, releases owned objects that match no more, and returns what the owner controls now
 * (controller_ref_manager.go). Candidates are the objects of the owner's namespace that it controls or nobody does.
 * `finalizers` come with adoption and go with release.
 */
export async function claim<T extends KubeObject>(
  owner: DeepReadonly<KubeObject>,
  reference: OwnerReference,
  candidates: Iterable<DeepReadonly<T>>,
  selector: Selector,
  resource: ResourceClient<T>,
  finalizers?: readonly string[],
): Promise<DeepReadonly<T>[]> {
  const owned: DeepReadonly<T>[] = [];
  const ownerDeleting = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const metadata = candidate.metadata;
    const key = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
    const current = controllerOf(candidate);
    const matches = selector.matches(metadata.labels ?? {});
    if (current !== undefined) {
      if (current.uid !== reference.uid) continue;
      if (matches) owned.push(candidate);
      else if (!ownerDeleting)
        await ignoreGone(
          resource.patch(key, releasePatch(metadata.uid ?? '', reference.uid, finalizers), { type: 'strategic' }),
        );
    } else if (matches && !ownerDeleting && metadata.deletionTimestamp === undefined) {
      const added = finalizers === undefined ? {} : { finalizers };
      const patch = { metadata: { ownerReferences: [reference], uid: metadata.uid, ...added } };
      const adopted = await ignoreGone(resource.patch(key, patch, { type: 'strategic' }));
      if (adopted !== undefined) owned.push(adopted as DeepReadonly<T>);
    }
  }
  return owned;
}

const releasePatch = (uid: string, ownerUid: string, finalizers: readonly string[] | undefined): object => ({
  metadata: {
    uid,
    ownerReferences: [{ $patch: 'delete', uid: ownerUid }],
    ...(finalizers === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': finalizers }),
  },
});

/** The object is gone, or is another one of the same name: nothing to claim. */
async function ignoreGone<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'Invalid')) return undefined;
    throw error;
  }
}
