import { deepFreeze } from '../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, ObjectKey, ObjectMeta } from '../machinery/types.js';

/**
 * An object at one revision. Parsed at most once, encoded at most once per form, frozen. Stored bytes carry no
 * resourceVersion (the revision is not known when they are written); it is spliced in when they are sent.
 */
export interface CachedObject {
  readonly key: ObjectKey;
  readonly revision: number;
  readonly object: DeepReadonly<KubeObject>;
  /** JSON with kind and apiVersion first, no newline. */
  encode(): Buffer;
  /** JSON as an item of a list: no kind, no apiVersion. */
  encodeItem(): Buffer;
}

/** A CachedObject on its way to the store: what to store, and the revision once it is known. */
export interface PendingObject extends CachedObject {
  readonly value: Uint8Array;
  /** Called by whoever learns the revision first: the writer or its watch cache. */
  committed(revision: number): void;
}

/** metadata in upstream's field order; resourceVersion is inserted after uid. */
function orderMetadata(meta: ObjectMeta): ObjectMeta {
  const { name, generateName, namespace, uid, generation, creationTimestamp, ...rest } = meta;
  delete rest.resourceVersion;
  const { deletionTimestamp, deletionGracePeriodSeconds, managedFields, ...others } = rest;
  // JSON.stringify leaves undefined out.
  return {
    name,
    generateName,
    namespace,
    uid,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    ...others,
    managedFields,
  } as ObjectMeta;
}

const METADATA = Buffer.from('"metadata":{');
const UID = Buffer.from('"uid":"');
const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The bytes of an object as stored: kind, apiVersion, metadata (ordered, no resourceVersion), the rest. */
export function encodeForStorage(object: DeepReadonly<KubeObject>): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object as KubeObject;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: orderMetadata(metadata), ...rest }));
}

/** Where the first list or object within metadata begins: a '"uid":"' further down belongs to an owner reference. */
function endOfScalars(stored: Buffer, from: number): number {
  for (let i = from; i < stored.length; i++) {
    const byte = stored[i];
    if (byte === OPEN_BRACKET || byte === OPEN_BRACE || byte === CLOSE_BRACE) return i;
  }
  return stored.length;
}

/** Where the resourceVersion goes: after the uid, or first in metadata when there is none. */
function splice(stored: Buffer, from: number, revision: number): Buffer[] {
  const metadata = stored.indexOf(METADATA) + METADATA.length;
  const uid = stored.subarray(metadata, endOfScalars(stored, metadata)).indexOf(UID) + metadata;
  if (uid >= metadata) {
    const at = stored.indexOf(QUOTE, uid + UID.length) + 1;
    return [stored.subarray(from, at), Buffer.from(`,"resourceVersion":"${revision}"`), stored.subarray(at)];
  }
  const comma = stored[metadata] === CLOSE_BRACE ? '' : ',';
  return [
    stored.subarray(from, metadata),
    Buffer.from(`"resourceVersion":"${revision}"${comma}`),
    stored.subarray(metadata),
  ];
}

const ITEM_START = Buffer.from('{');

/** A class because there is one per object in memory: closures would cost more than the fields. */
class Cached implements PendingObject {
  private parsed: KubeObject | undefined;
  private full: Buffer | undefined;
  private item: Buffer | undefined;

  constructor(
    readonly key: ObjectKey,
    private rev: number,
    readonly value: Uint8Array,
    parsed: KubeObject | undefined,
  ) {
    this.parsed = parsed;
  }

  get revision(): number {
    return this.rev;
  }

  committed(revision: number): void {
    if (this.rev !== 0) return;
    this.rev = revision;
    if (this.parsed !== undefined) {
      this.parsed.metadata.resourceVersion = String(revision);
      deepFreeze(this.parsed);
    }
  }

  get object(): DeepReadonly<KubeObject> {
    if (this.parsed === undefined) {
      const parsed = JSON.parse(this.buffer().toString()) as KubeObject;
      parsed.metadata.resourceVersion = String(this.rev);
      this.parsed = deepFreeze(parsed);
    }
    return this.parsed;
  }

  encode(): Buffer {
    return (this.full ??= Buffer.concat(splice(this.buffer(), 0, this.rev)));
  }

  encodeItem(): Buffer {
    if (this.item === undefined) {
      const stored = this.buffer();
      this.item = Buffer.concat([ITEM_START, ...splice(stored, stored.indexOf(METADATA), this.rev)]);
    }
    return this.item;
  }

  /** The parsed form at another revision, when there is one: shares everything below metadata. */
  parsedAt(revision: number): KubeObject | undefined {
    if (this.parsed === undefined) return undefined;
    const metadata = { ...this.parsed.metadata, resourceVersion: String(revision) };
    return deepFreeze({ ...this.parsed, metadata });
  }

  private buffer(): Buffer {
    return Buffer.isBuffer(this.value)
      ? this.value
      : Buffer.from(this.value.buffer, this.value.byteOffset, this.value.byteLength);
  }
}

/** An object read from the store; parsed when first looked at. */
export const cachedObject = (key: ObjectKey, revision: number, value: Uint8Array): CachedObject =>
  new Cached(key, revision, value, undefined);

/** Takes over `object`, which gets its resourceVersion and is frozen once committed. */
export const pendingObject = (key: ObjectKey, object: KubeObject): PendingObject =>
  new Cached(key, 0, encodeForStorage(object), object);

/** The same content under another revision: what a DELETED event carries. */
export function atRevision(object: CachedObject, revision: number): CachedObject {
  if (object.revision === revision) return object;
  if (object instanceof Cached) return new Cached(object.key, revision, object.value, object.parsedAt(revision));
  return new Cached(object.key, revision, encodeForStorage(object.object), undefined);
}

export const isPending = (value: unknown): value is PendingObject => value instanceof Cached;
