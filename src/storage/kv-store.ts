/**
 * The storage contract. One global, strictly increasing revision; a commit and its events are atomic; every revision
 * down to the compacted one can be read. Keys are UTF-8 strings compared bytewise. Every driver runs
 * test/conformance/storage.
 */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the commit that wrote this value. */
  readonly modRevision: number;
  /** Revision of the commit that created the key (after its last deletion). */
  readonly createRevision: number;
  /** Why the value cannot be read; `value` is then what is stored. */
  readonly unreadable?: string;
  /** It is to be written again, even if nothing about it changes. */
  readonly stale?: boolean;
}

export interface RangeOptions {
  /** Read the state as of this revision; omitted: the newest. */
  revision?: number;
  /** At most this many items; omitted or 0: all. */
  limit?: number;
  /** Only keys bytewise greater than this one. */
  after?: string;
}

export interface RangeResult {
  /** The revision the result is consistent with. */
  readonly revision: number;
  readonly items: readonly KeyValue[];
  /** Whether more items follow the last one. */
  readonly more: boolean;
  /** How many items follow the last one; exact. */
  readonly remaining: number;
}

/** Holds when the key's current modRevision equals this (0: the key does not exist). */
export interface Precondition {
  readonly key: string;
  readonly modRevision: number;
}

interface AnyOp {
  readonly key: string;
  /** What comes behind it in the commit has a later revision, though all of it is written or none: where that is supported. */
  readonly ownRevision?: true;
}

export type Op = AnyOp &
  (
    | {
        readonly type: 'put';
        readonly value: Uint8Array;
        /** Carried to this process's own watch events as it is, so that the writer's cache need not parse what it has. */
        readonly decoded?: unknown;
      }
    | { readonly type: 'delete' }
  );

export type CommitResult =
  /** `revision`: of the last op. */
  | { readonly ok: true; readonly revision: number }
  /** `failed` is the first precondition that did not hold, `current` what its key holds now. */
  | { readonly ok: false; readonly revision: number; readonly failed: Precondition; readonly current?: KeyValue };

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** The value written (put). */
  readonly kv?: KeyValue;
  /** What the key held before (update, delete). */
  readonly previous?: KeyValue;
  /** `decoded` of the put, when the writer is this process. */
  readonly decoded?: unknown;
}

/** Missed history is only replayed as far back as it fits; what is older is not delivered. */
export interface ReplayBound {
  readonly bytes: number;
  /** Told the revision up to which changes are left out, before any is delivered. */
  onCut(revision: number): void;
}

/** What a driver can and cannot do, as data. */
export interface StoreSupports {
  /**
   * Every write goes through this object, and its events are delivered before the commit resolves: what has been
   * observed is the newest there is for whoever has been answered.
   */
  readonly soleWriter: boolean;
  /** Whether ops of a commit have revisions of their own when they are to; else all of a commit has one. */
  readonly ownRevision: boolean;
  /** How many ops, and how many preconditions, a commit may have at most; absent: any number. */
  readonly maxOps?: number;
}

/** Nothing more comes: the watch has to be opened again. */
export interface Lost {
  /** Everything up to this revision has been delivered. */
  readonly after: number;
  /** The fault of the watcher's own `events`, which may have taken a part of what comes after. */
  readonly fault?: unknown;
}

export interface WatchHandlers {
  /** Changes in order of revision, one call per commit or batch of commits. */
  events(events: readonly WatchEvent[]): void;
  /** `observed` has reached this revision, which nobody is told of otherwise: what made it is no key of this store. */
  progress?(revision: number): void;
  /** Called at most once, after which the watch is over. Must not throw. */
  lost(lost: Lost): void;
}

/** A piece of a state. */
export interface ScanPage {
  /** That all pieces are consistent with. */
  readonly revision: number;
  /** In order of key, and behind those of the piece before. */
  readonly items: readonly KeyValue[];
}

export interface KvStore {
  readonly supports: StoreSupports;
  /** The newest revision up to which every open watch of this process has been given what there was. */
  observed(): number;
  /**
   * The newest revision of the store, whoever wrote it; `observed` gets there, too. Drivers that are the sole writer
   * answer at once.
   */
  latest(signal: AbortSignal): Promise<number>;
  /** Old revisions up to and including this one cannot be read any more. */
  compactedRevision(): number;
  get(key: string, options?: { revision?: number }): Promise<KeyValue | undefined>;
  /** @throws CompactedError, FutureRevisionError */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>;
  /**
   * The newest state, as it is when it is first asked, in one piece or more, whatever is written meanwhile. Whoever reads it holds
   * nobody up; what it is read from is kept until it ends. Absent: the store has tools of its own for backups.
   */
  scan?(signal: AbortSignal): AsyncGenerator<ScanPage>;
  /**
   * All or nothing: when every precondition holds, applies every op, as one revision but for `ownRevision`. Resolves only once the change is
   * durable (for drivers that keep anything). Whether its events have been delivered by then, `observed` tells.
   * @throws StorageError with code 'disk-full', 'closed' or 'io'
   */
  commit(preconditions: readonly Precondition[], ops: readonly Op[]): Promise<CommitResult>;
  /**
   * Tells of every change of a key under `prefix` with a revision above `fromRevision`. Missed history is replayed
   * first; the watch counts as open once the promise has resolved.
   * @throws CompactedError when fromRevision is below compactedRevision()
   */
  watch(prefix: string, fromRevision: number, handlers: WatchHandlers, replay?: ReplayBound): Promise<() => void>;
  /** @throws StorageError while commits fail or would (no space, read-only); asks again whether they do still. */
  assertWritable(): Promise<void>;
  /** Drops old revisions up to and including `revision`. @throws FutureRevisionError */
  compact(revision: number): Promise<void>;
  /** Waits for commits under way. Further calls throw StorageError 'closed'. */
  close(): Promise<void>;
}

export type StorageErrorCode = 'locked' | 'damaged' | 'format' | 'disk-full' | 'permission' | 'closed' | 'io';

/** Every failure of a driver. `message` is one line fit for a terminal. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  constructor(
    readonly requested: number,
    readonly compacted: number,
  ) {
    super(`revision ${requested} has been compacted (oldest readable: ${compacted + 1})`);
  }
}

export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  constructor(
    readonly requested: number,
    readonly current: number,
  ) {
    super(`revision ${requested} is in the future (newest: ${current})`);
  }
}
