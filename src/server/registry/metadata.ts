import { formatTime, type Clock } from '../../machinery/clock.js';
import type { Random } from '../../machinery/random.js';
import { badRequestError } from '../../machinery/status.js';
import type { KubeObject, ObjectKey, ObjectMeta, OwnerReference } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import { createRepeatCheck } from '../../machinery/repeats.js';

/** No vowels and no digits that look like them, so that generated names spell nothing. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_BASE_LENGTH = 63 - SUFFIX_LENGTH;

/** apiserver pkg/storage/names.SimpleNameGenerator */
export function generateName(base: string, random: Random): string {
  let suffix = '';
  while (suffix.length < SUFFIX_LENGTH) suffix += ALPHABET.charAt(random.below(ALPHABET.length));
  return base.slice(0, MAX_BASE_LENGTH) + suffix;
}

export const needsGeneratedName = (meta: ObjectMeta): boolean => !meta.name && Boolean(meta.generateName);

/** Mutates: what only the server sets. */
export function wipeSystemFields(meta: ObjectMeta): void {
  delete meta.uid;
  delete meta.creationTimestamp;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

/** Mutates. */
export function fillSystemFields(meta: ObjectMeta, { clock, random }: { clock: Clock; random: Random }): void {
  meta.creationTimestamp = formatTime(clock.now());
  meta.uid = random.uuid();
}

/** Mutates: an absent namespace becomes the request's, that of a cluster-scoped object goes. @throws StatusError 400 */
export function ensureNamespace(meta: ObjectMeta, namespace: string): void {
  const given = meta.namespace ?? '';
  if (given === namespace) {
    if (namespace === '') delete meta.namespace;
    return;
  }
  if (namespace === '') delete meta.namespace;
  else if (given === '') meta.namespace = namespace;
  else {
    throw badRequestError('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** @throws StatusError 400 when the body is about another object than the URL */
export function checkName(meta: ObjectMeta, key: ObjectKey): void {
  const name = meta.name ?? '';
  if (name === '') {
    throw badRequestError(
      `the name of the object (${key.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (name !== key.name) {
    throw badRequestError(`the name of the object (${name}) does not match the name on the URL (${key.name})`);
  }
}

const DUPLICATES =
  'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; ' +
  'duplicate UID(s) observed: ';

/** Mutates: drops owner references that are there twice, with a warning. */
export function dedupOwnerReferences(ctx: RequestContext, meta: ObjectMeta, afterAdmission: boolean): void {
  const owners = meta.ownerReferences;
  if (owners === undefined || owners.length < 2) return;
  // What is there twice has its uid twice: nearly always nothing need be compared.
  if (new Set(owners.map(owner => owner.uid)).size === owners.length) return;
  const kept: OwnerReference[] = [];
  const duplicates = new Set<string>();
  const again = createRepeatCheck<string>();
  for (const owner of owners) {
    const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = owner;
    if (again(JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]))) duplicates.add(uid);
    else kept.push(owner);
  }
  if (duplicates.size === 0) return;
  meta.ownerReferences = kept;
  const when = afterAdmission ? ' after mutating admission happens' : '';
  ctx.warn(`.metadata.ownerReferences contains duplicate entries${when}; ${DUPLICATES}${[...duplicates].join(', ')}`);
}

export const keyOfObject = (object: KubeObject): ObjectKey => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
});
