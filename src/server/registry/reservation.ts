import { inTurns } from '../../machinery/steps.js';
import type { DeepReadonly, KubeObject, ObjectKey } from '../../machinery/types.js';
import type { Waiter } from '../../machinery/waiter.js';
import { defaultObject } from '../../api/default-object.js';
import type { Reservation } from '../../api/strategy.js';
import { pendingObject, type CachedObject, type PendingObject } from '../../storage/cached-object.js';
import { objectKey } from '../../storage/keys.js';
import type { Op, Precondition } from '../../storage/kv-store.js';
import { newest } from './current.js';
import { planDeletion } from './deletion-plan.js';
import { fillSystemFields, keyOfObject } from './metadata.js';
import { resetFields } from './reset-fields.js';
import { entryOf, type Scope, type Shelf } from './scope.js';

/** What a commit has to do beside writing the object itself. */
export interface Claims {
  readonly preconditions: readonly Precondition[];
  /** Before the object is written: what it reserves, which is older than it, as upstream's is. */
  readonly before: readonly Op[];
  /** With the object: what it lets go. */
  readonly ops: readonly Op[];
  /** Resolves when this server has seen what stood against the claims. */
  settled(waiter: Waiter): Promise<void>;
  /** Told the revision of the object. */
  committed(revision: number): void;
}

const NOTHING: Claims = {
  preconditions: [],
  before: [],
  ops: [],
  settled: () => Promise.resolve(),
  committed: () => undefined,
};

type Live = DeepReadonly<KubeObject>;

const idOf = ({ resource, object }: Reservation): string => `${resource}/${object.metadata.name ?? ''}`;

/** How reservations change when `old` becomes `now`. */
export async function claimsOf(
  scope: Scope,
  key: ObjectKey,
  old: Live | undefined,
  now: Live | undefined,
): Promise<Claims> {
  const { reservations } = scope.strategy;
  if (reservations === undefined) return NOTHING;
  const held = (object: Live | undefined): Map<string, Reservation> =>
    new Map((object === undefined ? [] : reservations.heldBy(object)).map(one => [idOf(one), one]));
  const [had, has] = [held(old), held(now)];
  const preconditions: Precondition[] = [];
  const before: Op[] = [];
  const ops: Op[] = [];
  const made: PendingObject[] = [];
  const shelves = new Set<Shelf>();
  const expect = (shelf: Shelf, modRevision: number, { key: its }: Op): void => {
    shelves.add(shelf);
    preconditions.push({ key: its, modRevision });
  };
  for (const [id, { resource, object }] of has) {
    if (had.has(id)) continue;
    const shelf = scope.shelf(resource);
    const pending = await compose(scope, shelf, object);
    made.push(pending);
    const op = { ...putOf(shelf, pending), ownRevision: true } as const;
    expect(shelf, 0, op);
    before.push(op);
  }
  for (const [id, { resource, object }] of had) {
    if (has.has(id)) continue;
    const shelf = scope.shelf(resource);
    const stored = await newestOn(scope, shelf, keyOfObject(object));
    if (stored === undefined || !isHeldBy(scope, stored, key)) continue;
    const op = removalOf(shelf, stored);
    if (op === undefined) continue;
    expect(shelf, stored.revision, op);
    ops.push(op);
  }
  return {
    preconditions,
    before,
    ops,
    async settled(waiter) {
      for (const { cache } of shelves) await cache.fresh(waiter);
    },
    committed(revision) {
      // Where a commit is one revision, what is reserved is as old as who has it.
      const { ownRevision } = scope.store.supports;
      for (const [i, pending] of made.entries()) pending.committed(ownRevision ? revision - made.length + i : revision);
    },
  };
}

export function isHeldBy(scope: Scope, stored: CachedObject, { namespace, name }: ObjectKey): boolean {
  const holder = scope.strategy.reservations?.holderOf(stored.object);
  return holder?.namespace === namespace && holder.name === name;
}

export const putOf = (shelf: Shelf, pending: PendingObject): Op => ({
  type: 'put',
  key: objectKey(shelf.cache.prefix, pending.key),
  value: pending.value,
  decoded: pending,
});

/** The reservation as the server makes it, ready to be stored. */
export async function compose(scope: Scope, shelf: Shelf, given: KubeObject): Promise<PendingObject> {
  const own = shelf.scope;
  if (own === undefined) {
    fillSystemFields(given.metadata, scope);
    return pendingObject(keyOfObject(given), given);
  }
  const { object } = await inTurns(own.schema.canonicalize(given), own.turns);
  await inTurns(defaultObject(entryOf(own), object), own.turns);
  const write = { manager: 'kube-apiserver', subresource: '', nowMs: scope.clock.now() };
  await inTurns(own.fieldManagers.main.update(undefined, object, write), own.turns);
  fillSystemFields(object.metadata, scope);
  own.schema.dropDisabled(object);
  resetFields(own, '', object, undefined);
  if (own.info.generation !== 'none') object.metadata.generation = 1;
  await inTurns(own.normalize(object), own.turns);
  return pendingObject(keyOfObject(object), own.view.toStorage(object));
}

/** Somebody's finalizer keeps what has an API; undefined: it is on its way already. */
export function removalOf(shelf: Shelf, stored: CachedObject): Op | undefined {
  const { cache, scope } = shelf;
  const plan = scope === undefined ? ({ kind: 'now' } as const) : planDeletion(scope, { dryRun: false }, stored);
  if (plan.kind === 'pending') return undefined;
  if (scope === undefined || plan.kind === 'now' || !plan.stays)
    return { type: 'delete', key: objectKey(cache.prefix, stored.key) };
  return putOf(shelf, pendingObject(stored.key, scope.view.toStorage(plan.object)));
}

const newestOn = (scope: Scope, { cache }: Shelf, key: ObjectKey): Promise<CachedObject | undefined> =>
  newest({ store: scope.store, cache, versions: { fromStore: kv => cache.objectOf(kv) } }, key);
