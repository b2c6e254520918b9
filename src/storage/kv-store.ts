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

export type Op =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: Uint8Array;
      /** Carried to this process's own watch events as it is, so that the writer's cache need not parse what it has. */
      readonly decoded?: unknown;
    }
  | { readonly type: 'delete'; readonly key: string };

export type CommitResult =
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

export interface KvStore {
  /** The newest revision. 0 for a store that was never written. */
  revision(): number;
  /** Old revisions up to and including this one cannot be read any more. */
  compactedRevision(): number;
  get(key: string, options?: { revision?: number }): Promise<KeyValue | undefined>;
  /** @throws CompactedError, FutureRevisionError */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>;
  /**
   * All or nothing: when every precondition holds, applies every op as one revision. Resolves only once the change is
   * durable (for drivers that keep anything); its events are delivered before it resolves.
   * @throws StorageError with code 'disk-full', 'closed' or 'io'
   */
  commit(preconditions: readonly Precondition[], ops: readonly Op[]): Promise<CommitResult>;
  /**
   * Calls `onEvents` with every change of a key under `prefix` with a revision above `fromRevision`, in order of
   * revision, one call per commit or batch of commits; the call is synchronous with the commit becoming visible.
   * Missed history is replayed first.
   * @throws CompactedError when fromRevision is below compactedRevision()
   */
  watch(
    prefix: string,
    fromRevision: number,
    onEvents: (events: readonly WatchEvent[]) => void,
    replay?: ReplayBound,
  ): Promise<() => void>;
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
