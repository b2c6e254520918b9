import type { Clock } from '../../machinery/clock.js';
import type { ObjectKey } from '../../machinery/types.js';
import type { Reservation, Reservations } from '../../api/strategy.js';
import type { CachedObject } from '../../storage/cached-object.js';
import { objectKey } from '../../storage/keys.js';
import type { Op, Precondition } from '../../storage/kv-store.js';
import { keyOfObject } from './metadata.js';
import { compose, isHeldBy, putOf, removalOf } from './reservation.js';
import type { Scope, Shelf } from './scope.js';

const REPAIR_EVERY_MS = 3 * 60_000;

/**
 * Repairs reservations now and, as upstream, every few minutes. Resolves after the first time, whatever came of it: a
 * server that cannot write is still good to read from.
 */
export async function keepRepaired(
  repair: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  await repair().catch(onError);
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(REPAIR_EVERY_MS, signal);
      await repair().catch(onError);
    }
  };
  loop().catch((error: unknown) => {
    if (!signal.aborted) onError(error);
  });
}

/**
 * Brings reservations and what objects hold together: data that is older than reservations has none, and people delete
 * them. What changes meanwhile is left to the next time. Upstream's repair loops do the same.
 */
export async function repairReservations(scope: Scope): Promise<void> {
  const { reservations } = scope.strategy;
  if (reservations === undefined) return;
  await scope.cache.loaded();
  for (const resource of reservations.resources) await scope.shelf(resource).cache.loaded();
  // Together, so that the store can commit them together.
  await Promise.all(scope.cache.list('').map(holder => makeMissing(scope, reservations, holder)));
  await Promise.all(reservations.resources.map(resource => removeLeft(scope, reservations, scope.shelf(resource))));
}

const heldBy = (scope: Scope, reservations: Reservations, holder: CachedObject): Reservation[] =>
  reservations.heldBy(scope.view.show(holder).object);

const preconditionOn = (scope: Scope, key: ObjectKey, holder: CachedObject | undefined): Precondition => ({
  key: objectKey(scope.cache.prefix, key),
  modRevision: holder?.revision ?? 0,
});

async function makeMissing(scope: Scope, reservations: Reservations, holder: CachedObject): Promise<void> {
  const preconditions: Precondition[] = [preconditionOn(scope, holder.key, holder)];
  const ops: Op[] = [];
  for (const { resource, object } of heldBy(scope, reservations, holder)) {
    const shelf = scope.shelf(resource);
    const stored = shelf.cache.get(keyOfObject(object));
    if (stored !== undefined && isHeldBy(scope, stored, holder.key)) continue;
    if (stored !== undefined && isRightful(scope, reservations, shelf, stored)) {
      const what = `${resource}/${stored.key.name} is held by another than ${holder.key.namespace}/${holder.key.name}`;
      scope.report(new Error(what), 'repair of reservations');
      continue;
    }
    const op = putOf(shelf, await compose(scope, shelf, object));
    preconditions.push({ key: op.key, modRevision: stored?.revision ?? 0 });
    ops.push(op);
  }
  if (ops.length > 0) await scope.store.commit(preconditions, ops);
}

/** Whether whoever a reservation names holds the value. What was made by others for others is theirs. */
function isRightful(scope: Scope, reservations: Reservations, shelf: Shelf, stored: CachedObject): boolean {
  const key = reservations.holderOf(stored.object);
  if (key === undefined) return true;
  const holder = scope.cache.get(key);
  if (holder === undefined) return false;
  return heldBy(scope, reservations, holder).some(
    ({ resource, object }) => scope.shelf(resource).cache === shelf.cache && object.metadata.name === stored.key.name,
  );
}

/** Reservations that nobody has any more. */
async function removeLeft(scope: Scope, reservations: Reservations, shelf: Shelf): Promise<void> {
  const left = shelf.cache.list('').filter(stored => !isRightful(scope, reservations, shelf, stored));
  await Promise.all(
    left.map(async stored => {
      const key = reservations.holderOf(stored.object);
      const op = removalOf(shelf, stored);
      if (key === undefined || op === undefined) return;
      const holder = preconditionOn(scope, key, scope.cache.get(key));
      await scope.store.commit([holder, { key: op.key, modRevision: stored.revision }], [op]);
    }),
  );
}
