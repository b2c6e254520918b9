import { createBackoff } from '../../machinery/backoff.js';
import type { Clock } from '../../machinery/clock.js';
import { COMPACT_KEY } from '../compactor.js';
import { createCatchUp } from './catch-up.js';
import type { EtcdClient } from './client.js';
import { createFence, type Fence } from './fence.js';
import type { Channel } from './grpc/channel.js';
import { GrpcError } from './grpc/status.js';
import type { KeySpace } from './key-space.js';
import type { StoredEvent, WatchMessage } from './messages/watch.js';
import { serverTellsProgress } from './server-version.js';
import { ALL_WATCHES, openWatchStream, type WatchStream } from './watch-stream.js';

export interface LiveWatchOptions {
  readonly channel: Channel;
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Everything up to it has been told: what is told comes after. */
  readonly from: number;
  /** Whole revisions, in order; `observed` has reached the last one already. */
  events(events: readonly StoredEvent[]): void;
  /** Nothing else happened up to this revision. */
  progress(revision: number): void;
  /** Old revisions up to this one are gone, or are about to be. */
  compacted(revision: number): void;
  /** What came between is not known any more. `after`: everything up to it has been told. */
  lost(after: number): void;
  /** A line about the connection. */
  problem(message: string): void;
}

/** One watch for all there is, opened again where it ended when a server or the connection to it is gone. */
export interface LiveWatch {
  observed(): number;
  /** The newest revision of which there was an event. */
  newestEvent(): number;
  /** Sees to it that this revision, which the store has told of, is observed. */
  want(revision: number): void;
  readonly fence: Fence;
  close(): void;
}

const OURS = 1;
const COMPACTION = 2;

/** What ended a stream. */
type Ended = { readonly compacted: number } | { readonly error: GrpcError };

/** Resolves when the first watch stands. @throws GrpcError */
export async function startLiveWatch(options: LiveWatchOptions): Promise<LiveWatch> {
  const { channel, client, keys, clock, random } = options;
  const problem = (message: string): void => options.problem(message);
  const fence = createFence(client, keys);
  const closing = new AbortController();
  let observed = options.from;
  let newestEvent = 0;
  let stream: WatchStream | undefined;
  let reliable = false;
  /** The revision of a fence that is not observed yet. */
  let fenced = 0;

  const ask = (): void => {
    if (stream === undefined) return;
    if (reliable) return stream.askProgress();
    if (fenced > observed) return;
    // One that fails is asked for again by who still waits.
    fence.put().then(
      revision => void (fenced = revision),
      (error: Error) => closing.signal.aborted || problem(error.message),
    );
  };
  const catchUp = createCatchUp({ clock, observed: () => observed, ask });

  const take = ({ id, events, revision }: WatchMessage): void => {
    if (id === ALL_WATCHES) {
      if (!reliable || revision <= observed) return;
      observed = revision;
      options.progress(revision);
    } else if (id === COMPACTION) {
      for (const { kv } of events) options.compacted(Number(kv.value.toString()) || 0);
    } else {
      const last = events.at(-1)?.kv.modRevision ?? 0;
      if (last <= observed) return;
      observed = newestEvent = last;
      options.events(events);
    }
  };

  /** Resolves when both watches stand, or have stood: `ended` is told when they do no longer. */
  const open = async (): Promise<void> => {
    reliable = await serverTellsProgress(client);
    const start = observed + 1;
    const watches = [
      { ...keys.under(''), id: OURS, start },
      { key: COMPACT_KEY, id: COMPACTION, start },
    ];
    await new Promise<void>((resolve, reject) => {
      let created = 0;
      const over = (why: Ended): void => {
        stream?.close();
        stream = undefined;
        if (created < watches.length && 'error' in why) return reject(why.error);
        resolve();
        ended(why);
      };
      const message = (told: WatchMessage): void => {
        if (!told.canceled) {
          if (told.created && ++created === watches.length) resolve();
          take(told);
        } else if (told.compactRevision > 0) over({ compacted: told.compactRevision });
        else over({ error: new GrpcError('Unavailable', told.reason || 'the watch was canceled') });
      };
      openWatchStream(channel, watches, { message, ended: error => over({ error }) }).then(
        opened => void (stream = opened),
        reject,
      );
    });
  };

  const backoff = createBackoff({ initialMs: 50, factor: 2, maxMs: 2_000, jitter: 0.5, random });
  const openAgain = async (why: Ended): Promise<void> => {
    let gone = 'compacted' in why ? why.compacted : 0;
    let said = 'error' in why ? why.error.message : '';
    if (said !== '') problem(said);
    while (!closing.signal.aborted) {
      try {
        await clock.sleep(backoff.next(), closing.signal, { unref: true, work: true });
        if (gone > 0) {
          const after = observed;
          observed = (await client.range({ key: keys.fence, countOnly: true })).revision;
          options.compacted(gone);
          options.lost(after);
          gone = 0;
        }
        await open();
        backoff.reset();
        if (said !== '') problem('the connection stands again');
        return;
      } catch (error) {
        if (closing.signal.aborted) return;
        if ((error as Error).message !== said) problem((said = (error as Error).message));
      }
    }
  };
  const ended = (why: Ended): void => {
    if (!closing.signal.aborted) openAgain(why).catch((error: Error) => problem(error.message));
  };

  await open();
  return {
    observed: () => observed,
    newestEvent: () => newestEvent,
    want: revision => catchUp.want(revision),
    fence,
    close() {
      closing.abort(new Error('the store is closed'));
      catchUp.stop();
      stream?.close();
    },
  };
}
