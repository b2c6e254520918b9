import { resourcePrefix, ROOT } from '../storage/keys.js';
import type { KvStore, Op } from '../storage/kv-store.js';

/** What a key holds. */
export interface Held {
  readonly value: Uint8Array;
  /** Of the store that it is from. */
  readonly modRevision?: number;
}

/** All that a store holds at one moment, by key. */
export type StoreState = ReadonlyMap<string, Held>;

export async function stateOf(store: Pick<KvStore, 'range'>): Promise<StoreState> {
  const { items } = await store.range(ROOT);
  return new Map(items.map(item => [item.key, item]));
}

/** Definitions are there before what they define comes, and go after it. */
const DEFINITIONS = resourcePrefix({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
});

const isSame = (a: Held, b: Held): boolean =>
  (a.modRevision !== undefined && a.modRevision === b.modRevision) || Buffer.compare(a.value, b.value) === 0;

/** Another object, though of the same name; what is no object has no uid. */
function isAnother(a: Held, b: Held): boolean {
  const uidOf = ({ value }: Held): unknown =>
    (JSON.parse(Buffer.from(value).toString('utf8')) as { metadata?: { uid?: unknown } }).metadata?.uid;
  return uidOf(a) !== uidOf(b);
}

/**
 * What makes of `now` what is `wanted`, in commits one after the other. Each change has a revision of its own, as a
 * watch that breaks off in between goes on from it.
 */
export function transition(now: StoreState, wanted: StoreState): Op[][] {
  const put = (key: string, { value }: Held): Op => ({ type: 'put', key, value, ownRevision: true });
  const remove = (key: string): Op => ({ type: 'delete', key, ownRevision: true });
  const removed: Op[] = [];
  const written: Op[] = [];
  for (const key of now.keys()) if (!wanted.has(key)) removed.push(remove(key));
  for (const [key, held] of wanted) {
    const before = now.get(key);
    if (before !== undefined && isSame(before, held)) continue;
    // Its name stands for another one meanwhile: who watches is told that this one is gone.
    if (before !== undefined && isAnother(before, held)) removed.push(remove(key));
    written.push(put(key, held));
  }
  const isDefinition = ({ key }: Op): boolean => key.startsWith(DEFINITIONS);
  const isOther = (op: Op): boolean => !isDefinition(op);
  const definitions = written.filter(isDefinition);
  const replaced = new Set(definitions.map(({ key }) => key));
  return [
    removed.filter(op => isDefinition(op) && replaced.has(op.key)),
    definitions,
    removed.filter(isOther),
    written.filter(isOther),
    removed.filter(op => isDefinition(op) && !replaced.has(op.key)),
  ].filter(ops => ops.length > 0);
}
