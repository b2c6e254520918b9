import { cloneJson, jsonEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { Conversion } from '../../api/conversion.js';
import type { KindSchema } from '../../api/kind-schema.js';
import { StatusError } from '../../machinery/status.js';
import { apiVersionOf } from '../../api/resource-info.js';
import { atRevision, cachedObject, encodeForStorage, type CachedObject } from '../../storage/cached-object.js';
import type { CacheEvent } from '../../storage/event-history.js';
import type { RegistryWatchEvent, StoredObject } from './types.js';

/** Shows stored objects in the version and the form that a resource serves, and turns written ones back. */
export interface View {
  /** Objects are served as they are stored: `show` makes nothing. */
  readonly asIs: boolean;
  /** The same stored object always gives the same answer, so that its JSON is made once. */
  show(object: CachedObject): StoredObject;
  /** The object to store, in the storage version. May be `object` itself. */
  toStorage(object: KubeObject): KubeObject;
  /** Whether writing the object would change nothing of what is stored. */
  holds(stored: CachedObject, object: KubeObject): boolean;
  /** One event object for all watchers that see the change as `type`: what is encoded for one serves the others. */
  event(event: CacheEvent, type: 'ADDED' | 'MODIFIED' | 'DELETED'): RegistryWatchEvent;
}

type SharedEvents = Partial<Record<'ADDED' | 'MODIFIED' | 'DELETED', RegistryWatchEvent>>;

export function createView({ info, schema, strategy, conversion }: CatalogEntry): View {
  const apiVersion = apiVersionOf(info);
  const storageApiVersion = apiVersionOf(info.storage);
  const sameVersion = apiVersion === storageApiVersion;
  const shown = new WeakMap<CachedObject, StoredObject>();
  const events = new WeakMap<CacheEvent, SharedEvents>();

  const inOwnVersion = (stored: KubeObject): KubeObject => {
    if (conversion !== undefined) return fromAnyVersion(stored, apiVersion, conversion);
    const object = sameVersion
      ? stored
      : { ...(strategy.fromStorage?.(stored) ?? stored), apiVersion, kind: info.kind };
    schema.restore?.(object);
    return object;
  };
  const isShownAsIs = ({ object }: CachedObject): boolean =>
    sameVersion &&
    strategy.decorate === undefined &&
    object.apiVersion === apiVersion &&
    schema.isRestored?.(object) === true;
  const convert = (stored: CachedObject): StoredObject => {
    if (isShownAsIs(stored)) return stored;
    const object = inOwnVersion(cloneJson(stored.object) as KubeObject);
    strategy.decorate?.(object);
    if (sameVersion && jsonEqual(object, stored.object)) return stored;
    return cachedObject(stored.key, stored.revision, encodeForStorage(object));
  };

  // What somebody else converts comes so from the cache.
  const isConverted = conversion?.converter !== undefined;
  const asIs = isConverted || (sameVersion && strategy.decorate === undefined && schema.restore === undefined);
  const show = (object: CachedObject): StoredObject => {
    if (asIs) return object;
    let view = shown.get(object);
    if (view === undefined) shown.set(object, (view = convert(object)));
    return view;
  };

  const toStorage = (object: KubeObject): KubeObject => {
    if (sameVersion) return object;
    if (conversion !== undefined) return toAnyVersion(object, storageApiVersion, conversion);
    return { ...(strategy.toStorage?.(object) ?? object), apiVersion: storageApiVersion, kind: info.kind };
  };

  return {
    asIs,
    show,
    toStorage,
    holds(stored, object) {
      // What was filled in when it was read is not stored yet.
      if (isConverted || schema.restore === undefined) return jsonEqual(object, show(stored).object);
      const { metadata, ...rest } = toStorage(object);
      return jsonEqual({ ...rest, metadata: { ...metadata, resourceVersion: undefined } }, unversioned(stored.object));
    },
    event(event, type) {
      let shared = events.get(event);
      if (shared === undefined) events.set(event, (shared = {}));
      return (shared[type] ??= { type, object: show(contentOf(event, type)) });
    },
  };
}

const unversioned = ({ metadata, ...rest }: DeepReadonly<KubeObject>): object => ({
  ...rest,
  metadata: { ...metadata, resourceVersion: undefined },
});

/** An object that leaves a selection is reported as it was while it matched, at the revision of the change. */
function contentOf(event: CacheEvent, type: 'ADDED' | 'MODIFIED' | 'DELETED'): CachedObject {
  if (type !== 'DELETED' || event.type === 'DELETED' || event.previous === undefined) return event.object;
  return atRevision(event.previous, event.revision);
}

/** An object was stored in a version that its kind has no more. */
export class UnknownVersionError extends StatusError {
  constructor(apiVersion: string) {
    super(500, undefined, `request to convert CR from an invalid group/version: ${apiVersion}`);
  }
}

/** Read as what it was written as; what came of that is pruned once more. Takes over `stored`. @throws StatusError 500 */
function fromAnyVersion(stored: KubeObject, apiVersion: string, conversion: Conversion): KubeObject {
  const { apiVersion: written = '' } = stored;
  versionOf(conversion, written).restore?.(stored);
  if (written === apiVersion) return stored;
  stored.apiVersion = apiVersion;
  versionOf(conversion, apiVersion).converted?.(stored);
  return stored;
}

function toAnyVersion(object: KubeObject, apiVersion: string, conversion: Conversion): KubeObject {
  const copy = { ...cloneJson(object), apiVersion };
  versionOf(conversion, apiVersion).converted?.(copy);
  return copy;
}

/** @throws UnknownVersionError */
export function versionOf(conversion: Conversion, apiVersion: string): KindSchema {
  const schema = conversion.schemaOf(apiVersion);
  if (schema === undefined) throw new UnknownVersionError(apiVersion);
  return schema;
}
