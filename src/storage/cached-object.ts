import { deepFreeze } from '../machinery/json-equal.js';
import { internalError } from '../machinery/status.js';
import type { DeepReadonly, KubeObject, ObjectKey, ObjectMeta } from '../machinery/types.js';
import { objectEnd } from './object-end.js';

/**
 * An object at one revision, frozen. Stored bytes carry no resourceVersion (the revision is not known when they are
 * written); it is spliced in when they are sent.
 */
export interface CachedObject {
  readonly key: ObjectKey;
  readonly revision: number;
  readonly object: DeepReadonly<KubeObject>;
  /** JSON with kind and apiVersion first, no newline. */
  encode(): Buffer;
  /** Where in the bytes of encode() an item of a list goes on behind its brace: it has no kind and no apiVersion. */
  itemStart(): number;
  /** Its metadata as JSON, cut out of these bytes: nobody has to parse them. */
  metadataText(): string;
  /** Why it cannot be read: then everything but `key`, `revision` and `size` throws. */
  readonly unreadable: string | undefined;
  /** It is to be written again, even if nothing about it changes. */
  readonly stale: boolean;
  /** Bytes that it holds on to. */
  readonly size: number;
  /** Forgets the parsed form, which takes several times the bytes: for objects that have been replaced. */
  release(): void;
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
const EMPTY = Buffer.alloc(0);
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

/** Where metadata begins; where the resourceVersion goes, and its text: after the uid, or first in metadata when there is none. */
function insertion(stored: Buffer, revision: number): { from: number; at: number; text: Buffer } {
  const from = stored.indexOf(METADATA);
  const metadata = from + METADATA.length;
  const uid = stored.subarray(metadata, endOfScalars(stored, metadata)).indexOf(UID) + metadata;
  if (uid >= metadata) {
    const at = stored.indexOf(QUOTE, uid + UID.length) + 1;
    return { from, at, text: Buffer.from(`,"resourceVersion":"${revision}"`) };
  }
  const comma = stored[metadata] === CLOSE_BRACE ? '' : ',';
  return { from, at: metadata, text: Buffer.from(`"resourceVersion":"${revision}"${comma}`) };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The same object at another revision, until its own bytes are asked for. */
type Source = Uint8Array | Cached;

/**
 * A class because there is one per object in memory: closures would cost more than the fields. Its bytes are kept once:
 * as they were stored until someone wants to send them, from then on with the resourceVersion in them.
 */
class Cached implements PendingObject {
  private source: Source | undefined;
  private full: Buffer | undefined;
  /** Where in `full` metadata begins; where the resourceVersion stands, and how many bytes it takes. */
  private from = 0;
  private at = 0;
  private inserted = 0;
  /** Behind the brace that ends metadata; 0: nobody has looked. */
  private end = 0;

  constructor(
    readonly key: ObjectKey,
    private rev: number,
    source: Source,
    private parsed: KubeObject | undefined,
  ) {
    this.source = source;
  }

  get revision(): number {
    return this.rev;
  }

  get unreadable(): string | undefined {
    return undefined;
  }

  get stale(): boolean {
    return false;
  }

  get size(): number {
    if (this.full !== undefined) return this.full.length;
    return this.source instanceof Cached ? this.source.size : (this.source?.length ?? 0);
  }

  get value(): Uint8Array {
    if (this.source instanceof Cached) return this.source.value;
    if (this.source !== undefined) return this.source;
    const full = this.full ?? EMPTY;
    return Buffer.concat([full.subarray(0, this.at), full.subarray(this.at + this.inserted)]);
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
      const bytes = this.full ?? asBuffer(this.value);
      const parsed = JSON.parse(bytes.toString()) as KubeObject;
      parsed.metadata.resourceVersion = String(this.rev);
      this.parsed = deepFreeze(parsed);
    }
    return this.parsed;
  }

  encode(): Buffer {
    if (this.full !== undefined) return this.full;
    const stored = asBuffer(this.value);
    const { from, at, text } = insertion(stored, this.rev);
    const full = Buffer.concat([stored.subarray(0, at), text, stored.subarray(at)]);
    // Before the commit the revision is not known, and the bytes are still on their way to the store.
    if (this.rev === 0) return full;
    this.from = from;
    this.at = at;
    this.inserted = text.length;
    this.full = full;
    this.source = undefined;
    return full;
  }

  itemStart(): number {
    const bytes = this.encode();
    return bytes === this.full ? this.from : bytes.indexOf(METADATA);
  }

  metadataText(): string {
    const bytes = this.encode();
    const from = this.itemStart() + METADATA.length - 1;
    const end = this.end === 0 ? objectEnd(bytes, from) : this.end;
    if (bytes === this.full) this.end = end;
    return bytes.toString('utf8', from, end);
  }

  release(): void {
    if (this.rev !== 0) this.parsed = undefined;
  }

  /** The parsed form at another revision, when there is one: shares everything below metadata. */
  parsedAt(revision: number): KubeObject | undefined {
    if (this.parsed === undefined) return undefined;
    const metadata = { ...this.parsed.metadata, resourceVersion: String(revision) };
    return deepFreeze({ ...this.parsed, metadata });
  }
}

class StaleObject extends Cached {
  override get stale(): boolean {
    return true;
  }
}

/** A value that nobody can read now. It has a place, and says why to who looks. */
class UnreadableObject extends Cached {
  constructor(
    key: ObjectKey,
    revision: number,
    value: Uint8Array,
    private readonly reason: string,
  ) {
    super(key, revision, value, undefined);
  }

  override get unreadable(): string {
    return this.reason;
  }

  override get object(): never {
    throw internalError(this.reason);
  }

  override get value(): never {
    throw internalError(this.reason);
  }

  override encode(): never {
    throw internalError(this.reason);
  }
}

/** An object read from the store; parsed when first looked at. */
export function cachedObject(
  key: ObjectKey,
  revision: number,
  value: Uint8Array,
  { unreadable, stale }: { readonly unreadable?: string | undefined; readonly stale?: boolean } = {},
): CachedObject {
  if (unreadable !== undefined) return new UnreadableObject(key, revision, value, unreadable);
  return stale === true
    ? new StaleObject(key, revision, value, undefined)
    : new Cached(key, revision, value, undefined);
}

/** What was made of an object, in its place: it itself where nothing was. */
export const madeOf = (object: CachedObject, result: DeepReadonly<KubeObject>): CachedObject =>
  result === object.object ? object : cachedObject(object.key, object.revision, encodeForStorage(result), object);

/** The same, of which it is known now whether it is to be written again. */
export const withStale = (object: CachedObject, stale: boolean): CachedObject =>
  cachedObject(object.key, object.revision, encodeForStorage(object.object), { stale });

/** Takes over `object`, which gets its resourceVersion and is frozen once committed. */
export const pendingObject = (key: ObjectKey, object: KubeObject): PendingObject =>
  new Cached(key, 0, encodeForStorage(object), object);

/** The same content under another revision: what a DELETED event carries. */
export function atRevision(object: CachedObject, revision: number): CachedObject {
  if (object.revision === revision) return object;
  if (object instanceof Cached) return new Cached(object.key, revision, object, object.parsedAt(revision));
  return new Cached(object.key, revision, encodeForStorage(object.object), undefined);
}

export const isPending = (value: unknown): value is PendingObject => value instanceof Cached;
