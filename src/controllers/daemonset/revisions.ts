import type { ResourceClient } from '../../client/types.js';
import { isStatusError } from '../../machinery/status.js';
import type { ControllerRevision, DaemonSet } from '../../machinery/types.js';
import { templateHash } from '../deployment/hash.js';
import { renumber, sameData, templatePatch, type Revision } from '../history.js';
import { controllerReference } from '../ownership.js';
import { HASH_LABEL, type ReadonlyDaemonSet } from './nodes.js';

export interface DaemonSetRevisions {
  readonly current: Revision;
  readonly old: readonly Revision[];
}

/** A name of ours holds other data: the next sync hashes with the raised collision count. */
export class HashCollisionError extends Error {
  override readonly name = 'HashCollisionError';
}

/**
 * The revision of the set's template, made when there is none, numbered after all others (update.go constructHistory).
 * @throws HashCollisionError after the collision count was raised
 */
export async function findRevisions(
  set: ReadonlyDaemonSet,
  all: readonly Revision[],
  revisions: ResourceClient<ControllerRevision>,
  sets: ResourceClient<DaemonSet>,
): Promise<DaemonSetRevisions> {
  const data = templatePatch(set.spec?.template);
  const same = { data } as unknown as Revision;
  const equal = all.filter(revision => sameData(revision, same));
  const old = all.filter(revision => !equal.includes(revision));
  const number = Math.max(0, ...old.map(revision => revision.revision)) + 1;
  const known = equal.at(-1);
  if (known !== undefined)
    return { current: known.revision < number ? await renumber(known, number, revisions) : known, old };

  const template = set.spec?.template as NonNullable<DaemonSet['spec']>['template'];
  const hash = templateHash(template, set.status?.collisionCount);
  const draft = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${set.metadata.name ?? ''}-${hash}`,
      namespace: set.metadata.namespace ?? '',
      labels: { ...template.metadata?.labels, [HASH_LABEL]: hash },
      ...(set.metadata.annotations === undefined ? {} : { annotations: set.metadata.annotations }),
      ownerReferences: [controllerReference(set, 'apps/v1', 'DaemonSet')],
    },
    data,
    revision: number,
  } as unknown as ControllerRevision;
  try {
    return { current: await revisions.create(draft.metadata.namespace ?? '', draft), old };
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists')) throw error;
    const key = { namespace: draft.metadata.namespace ?? '', name: draft.metadata.name ?? '' };
    const existing = await revisions.get(key);
    if (sameData(existing, draft)) return { current: existing, old };
    const status = { ...(set as DaemonSet).status, collisionCount: (set.status?.collisionCount ?? 0) + 1 };
    await sets.update({ ...(set as DaemonSet), status } as DaemonSet, { subresource: 'status' });
    throw new HashCollisionError(`the name ${key.name} is taken by another template; trying the next hash`);
  }
}
