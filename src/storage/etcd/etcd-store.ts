import type { Clock } from '../../machinery/clock.js';
import {
  CompactedError,
  StorageError,
  type CommitResult,
  type KvStore,
  type Op,
  type Precondition,
} from '../kv-store.js';
import { assertDistinctKeys } from '../ops.js';
import { createWatchHub } from '../watch-hub.js';
import { createEtcdClient, listPages } from './client.js';
import { revisionError, startError, storageError } from './errors.js';
import { ourEvents, ourKeyValue } from './events.js';
import { createChannel, type ChannelOptions } from './grpc/channel.js';
import { keySpace, type KeySpaceOptions } from './key-space.js';
import { startLiveWatch } from './live-watch.js';
import { readMissed } from './missed.js';
import { createNewest } from './newest.js';
import { OwnWrites } from './own-writes.js';
import { createPast } from './read-past.js';
import { startOf } from './start.js';

export interface EtcdStoreOptions extends ChannelOptions, KeySpaceOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** A line about the connection: it was lost, it is there again. */
  readonly onProblem: (message: string) => void;
}

/** etcd's `--max-txn-ops`, unless it was told otherwise. */
const MAX_OPS = 128;

/** A store that several processes share. @throws StorageError when etcd is not there, or is not one that can be used */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<KvStore> {
  const { clock, random } = options;
  const channel = createChannel(options);
  const client = createEtcdClient(channel);
  const keys = keySpace(options);
  const hub = createWatchHub();
  const own = new OwnWrites();
  const failed = (error: unknown): never => {
    channel.close();
    throw startError(error);
  };
  const begin = await startOf(channel, client, keys).catch(failed);
  let compacted = begin.compacted;
  /** What is known to be there: others may have gone on. */
  let newest = begin.revision;
  const know = (revision: number): number => (newest = Math.max(newest, revision));
  const live = await startLiveWatch({
    ...{ channel, client, keys, clock, random, from: begin.revision },
    events(events) {
      const ours = ourEvents(events, keys, kv => own.take(kv));
      if (ours.length > 0) hub.publish(ours);
      else hub.progress(live.observed());
    },
    progress: revision => hub.progress(revision),
    compacted: revision => void (compacted = Math.max(compacted, revision)),
    lost(after) {
      own.clear();
      hub.lose(after);
    },
    problem: message => options.onProblem(`etcd: ${message}`),
  }).catch(failed);
  const past = createPast({
    keys,
    apart: begin.tellsProgress,
    read: asked => readMissed(asked, { channel, client, keys, clock, fence: live.fence }),
  });
  const ask = createNewest(async () => (await client.range({ key: keys.fence, countOnly: true })).revision);

  let closed = false;
  const underWay = new Set<Promise<unknown>>();
  const assertOpen = (): void => {
    if (closed) throw new StorageError('closed', 'the store is closed');
  };
  /** Old revisions cannot be read, though etcd would still give the last one that was compacted. */
  const assertThere = (revision: number | undefined): void => {
    if (revision === undefined || revision > compacted) return;
    if (revision < Math.max(newest, live.observed())) throw new CompactedError(revision, compacted);
  };
  const explain = (error: unknown, revision: number): Error =>
    revisionError(error, revision, { compacted, newest: Math.max(newest, live.observed()) });

  const commit = async (preconditions: readonly Precondition[], ops: readonly Op[]): Promise<CommitResult> => {
    const stored = <T extends { readonly key: string }>(one: T): T => ({ ...one, key: keys.stored(one.key) });
    const begun = own.begin(ops);
    let done: number | undefined;
    try {
      const answer = await client.txn({ preconditions: preconditions.map(stored), ops: ops.map(stored) });
      const revision = know(answer.revision);
      if (answer.succeeded) return { ok: true, revision: (done = answer.revision) };
      const at = preconditions.findIndex(({ modRevision }, i) => (answer.found[i]?.modRevision ?? 0) !== modRevision);
      const [precondition, kv] = [preconditions[at], answer.found[at]];
      if (precondition === undefined) throw new StorageError('io', 'etcd refused a commit without a reason');
      return {
        ok: false,
        revision,
        failed: precondition,
        ...(kv === undefined ? {} : { current: ourKeyValue(kv, keys) }),
      };
    } catch (error) {
      throw storageError(error);
    } finally {
      begun.answered(done);
    }
  };

  return {
    supports: { soleWriter: false, ownRevision: false, maxOps: MAX_OPS },
    observed: () => live.observed(),
    async latest(signal) {
      assertOpen();
      signal.throwIfAborted();
      const revision = know(await ask().catch((error: unknown) => Promise.reject(storageError(error))));
      live.want(revision);
      return revision;
    },
    compactedRevision: () => compacted,
    async get(key, { revision } = {}) {
      assertOpen();
      assertThere(revision);
      try {
        const at = revision === undefined ? {} : { revision };
        const [kv] = (await client.range({ key: keys.stored(key), ...at })).kvs;
        return kv === undefined ? undefined : ourKeyValue(kv, keys);
      } catch (error) {
        throw explain(error, revision ?? 0);
      }
    },
    async range(prefix, { revision, limit = 0, after } = {}) {
      assertOpen();
      assertThere(revision);
      try {
        const found = await listPages(client, keys.under(prefix, after), { limit, revision });
        live.want(know(found.revision));
        const items = found.kvs.map(kv => ourKeyValue(kv, keys));
        return { revision: revision ?? found.revision, items, more: found.remaining > 0, remaining: found.remaining };
      } catch (error) {
        throw explain(error, revision ?? 0);
      }
    },
    async commit(preconditions, ops) {
      assertOpen();
      assertDistinctKeys(ops);
      if (Math.max(ops.length, preconditions.length) > MAX_OPS)
        throw new StorageError('io', `etcd takes at most ${MAX_OPS} operations in one transaction`);
      const committing = commit(preconditions, ops);
      underWay.add(committing);
      try {
        return await committing;
      } finally {
        underWay.delete(committing);
      }
    },
    async watch(prefix, fromRevision, handlers, replay) {
      assertOpen();
      if (fromRevision < compacted) throw new CompactedError(fromRevision, compacted);
      const upTo = live.observed();
      if (fromRevision >= upTo) return hub.subscribe(prefix, fromRevision, handlers);
      const isEvent = upTo === live.newestEvent();
      return hub.subscribeAfter(prefix, fromRevision, handlers, () =>
        past({ prefix, from: fromRevision, upTo, isEvent, replay }).catch((error: unknown) =>
          Promise.reject(storageError(error)),
        ),
      );
    },
    async assertWritable() {
      assertOpen();
      const { errors } = await client.status().catch((error: unknown) => Promise.reject(storageError(error)));
      const [first] = errors;
      if (first !== undefined) throw new StorageError(first.includes('NOSPACE') ? 'disk-full' : 'io', `etcd: ${first}`);
    },
    async compact(revision) {
      assertOpen();
      if (revision <= compacted) return;
      try {
        await client.compact(revision);
      } catch (error) {
        const why = explain(error, revision);
        if (!(why instanceof CompactedError)) throw why;
      }
      compacted = Math.max(compacted, revision);
    },
    async close() {
      closed = true;
      await Promise.allSettled(underWay);
      live.close();
      hub.clear();
      channel.close();
    },
  };
}
