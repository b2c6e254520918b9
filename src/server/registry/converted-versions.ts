import { cloneJson } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Turns } from '../../machinery/turns.js';
import type { Conversion, Converter } from '../../api/conversion.js';
import type { FieldManagerOptions } from '../../machinery/managed-fields/field-manager.js';
import { madeOf, type CachedObject } from '../../storage/cached-object.js';
import type { OwnConvertedCache } from '../../storage/converted-cache.js';
import type { WatchCache } from '../../storage/watch-cache.js';
import { MisfitError } from './field-managers.js';
import type { Newest, StoredVersions } from './scope.js';
import { versionOf } from './view.js';

/** Something synchronous needs an object in another version: it is asked for, and then all begins again. */
class NeedsConversion extends Error {
  constructor(
    readonly key: string,
    readonly object: KubeObject,
    readonly to: string,
  ) {
    super(`an object is needed in ${to}`);
  }
}

/** Of the objects of one request to a converter: making and reading it are steps that nobody interrupts. */
const MAX_SENT_BYTES = 1 << 20;
/** Answers that are kept for one resource; what is asked for again is asked again. */
const MAX_KEPT = 64;
/** Owners of one object's fields in versions of their own, twice each, and some more. */
const MAX_ROUNDS = 256;

type Convert = NonNullable<FieldManagerOptions['convert']>;

export interface ConvertedVersions {
  /** For the converted cache. */
  readonly convert: (objects: readonly CachedObject[]) => Promise<readonly DeepReadonly<KubeObject>[]>;
  /** For field managers. */
  readonly inOthers: Convert;
  versions(raw: WatchCache, cache: OwnConvertedCache): StoredVersions;
}

/** The versions of a kind whose objects somebody else converts. */
export function convertedVersions(
  conversion: Conversion & { readonly converter: Converter },
  apiVersion: string,
  storageApiVersion: string,
  signal: AbortSignal,
  turns: Turns,
): ConvertedVersions {
  const { converter } = conversion;
  const kept = new Map<string, KubeObject | Error>();

  const ask = async ({ key, object, to }: NeedsConversion, asking: AbortSignal): Promise<void> => {
    if (kept.size >= MAX_KEPT) kept.clear();
    try {
      const [answer] = await converter([object], to, asking);
      kept.set(key, answer ?? new Error('no object came of one'));
    } catch (error) {
      asking.throwIfAborted();
      // Fields that cannot be seen are nobody's; who applies is told.
      kept.set(key, error as Error);
    }
  };

  /** As the version that it is written in reads it: a copy, unless it is wanted as it is. */
  const readAsWritten = (object: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> => {
    const { apiVersion: written = '' } = object;
    const schema = versionOf(conversion, written);
    const isRestored = schema.isRestored?.(object) === true;
    if (isRestored && written === apiVersion) return object;
    const copy = cloneJson(object) as KubeObject;
    if (!isRestored) schema.restore?.(copy);
    return copy;
  };

  const convertSome = async (
    objects: readonly CachedObject[],
    asking: AbortSignal,
  ): Promise<readonly DeepReadonly<KubeObject>[]> => {
    const copies: DeepReadonly<KubeObject>[] = [];
    for (const { object } of objects) {
      if (turns.isOver()) await turns.next();
      copies.push(readAsWritten(object));
    }
    const foreign = copies.filter(copy => copy.apiVersion !== apiVersion);
    const answers = foreign.length === 0 ? [] : await converter(foreign as KubeObject[], apiVersion, asking);
    const byObject = new Map(foreign.map((object, i) => [object, answers[i]]));
    return copies.map(copy => {
      const answer = byObject.get(copy);
      if (answer === undefined) return copy;
      versionOf(conversion, apiVersion).converted?.(answer);
      return answer;
    });
  };
  const convert = async (
    objects: readonly CachedObject[],
    asking: AbortSignal,
  ): Promise<readonly DeepReadonly<KubeObject>[]> => {
    const results: DeepReadonly<KubeObject>[] = [];
    for (let from = 0; from < objects.length;) {
      let [end, bytes] = [from, 0];
      do bytes += objects[end++]?.size ?? 0;
      while (end < objects.length && bytes + (objects[end]?.size ?? 0) <= MAX_SENT_BYTES);
      for (const result of await convertSome(objects.slice(from, end), asking)) results.push(result);
      from = end;
    }
    return results;
  };

  const shownAnew = async (objects: readonly CachedObject[], asking: AbortSignal): Promise<CachedObject[]> => {
    const readable = objects.filter(object => object.unreadable === undefined);
    const answers = await convert(readable, asking);
    const results = new Map(readable.map((object, i) => [object, answers[i]]));
    const shown: CachedObject[] = [];
    for (const object of objects) {
      if (turns.isOver()) await turns.next();
      const answer = results.get(object);
      shown.push(answer === undefined ? object : madeOf(object, answer));
    }
    return shown;
  };
  const newestOf = (raw: WatchCache): Newest => ({
    loaded: () => raw.loaded(),
    fresh: waiter => raw.fresh(waiter),
    revision: () => raw.revision(),
    async get(key, waiter) {
      const found = raw.get(key);
      return found === undefined ? undefined : (await shownAnew([found], waiter.signal))[0];
    },
    async page(namespace, at, after, limit, waiter) {
      const { items, remaining } = await raw.page(namespace, at, after, limit);
      return { items: await shownAnew(items, waiter.signal), remaining };
    },
  });

  return {
    convert: objects => convert(objects, signal),
    inOthers(object, to, from) {
      const schema = conversion.schemaOf(to);
      if (schema === undefined || conversion.schemaOf(from) === undefined) return undefined;
      const whole = { ...(object as KubeObject), apiVersion: from, kind: schema.kind };
      const key = `${from} ${to} ${JSON.stringify(whole)}`;
      const found = kept.get(key);
      if (found === undefined) throw new NeedsConversion(key, cloneJson(whole), to);
      if (found instanceof Error) throw new MisfitError(found.message);
      return { object: cloneJson(found), struct: schema.fields.struct };
    },
    versions: (raw, cache) => ({
      newest: newestOf(raw),
      async checkStorable({ object }, waiter) {
        if (apiVersion !== storageApiVersion)
          await converter([cloneJson(object) as KubeObject], storageApiVersion, waiter.signal);
      },
      fromStore: kv => cache.shown(raw.objectOf(kv)),
      committed: object => cache.shown(object),
      async toStorage(object, waiter) {
        if (apiVersion === storageApiVersion) return object;
        const [stored] = await converter([cloneJson(object)], storageApiVersion, waiter.signal);
        if (stored === undefined) throw new Error('no object came of one');
        versionOf(conversion, storageApiVersion).converted?.(stored);
        return stored;
      },
      async withOthers(waiter, make) {
        for (let round = 1; ; round++)
          try {
            return await make();
          } catch (error) {
            if (!(error instanceof NeedsConversion) || round > MAX_ROUNDS) throw error;
            await ask(error, waiter.signal);
          }
      },
    }),
  };
}
