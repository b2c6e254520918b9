import type { Clock } from '../../machinery/clock.js';
import { CompactedError } from '../kv-store.js';
import type { EtcdClient } from './client.js';
import type { Fence } from './fence.js';
import type { Channel } from './grpc/channel.js';
import { GrpcError } from './grpc/status.js';
import type { KeySpace } from './key-space.js';
import type { StoredEvent, WatchMessage } from './messages/watch.js';
import { serverTellsProgress } from './server-version.js';
import { ALL_WATCHES, openWatchStream, type WatchStream } from './watch-stream.js';

export interface MissedOptions {
  readonly channel: Channel;
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly clock: Pick<Clock, 'after'>;
  readonly fence: Fence;
}

export interface Asked {
  readonly prefix: string;
  /** Events above it, */
  readonly from: number;
  /** at least up to this one. */
  readonly upTo: number;
  /** Whether there is an event of that revision, whatever its prefix. */
  readonly isEvent: boolean;
  /** What is kept, of the newest; undefined: all. */
  readonly bytes: number | undefined;
}

export interface Missed {
  readonly events: readonly StoredEvent[];
  /** What is older than the first event, up to this revision, did not fit; 0: all did. */
  readonly cut: number;
}

/** A server that has not yet told all answers no progress request: it is asked again. */
const ASK_AGAIN_MS = 20;

/** The last event is a sign as good as a fence, unless it was a deletion that has been compacted. */
const FENCE_AFTER_MS = 1_000;

const sizeOf = ({ kv, previous }: StoredEvent): number =>
  2 * kv.key.length + kv.value.length + (previous?.value.length ?? 0);

/** The newest events that fit. */
class Newest {
  private events: StoredEvent[] = [];
  private size = 0;
  private cut = 0;

  constructor(private readonly bytes: number) {}

  add(events: readonly StoredEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      this.size += sizeOf(event);
    }
    // Cut rarely, and then well below the bound: each cut moves all that is left.
    if (this.size > 2 * this.bytes) this.fit();
  }

  result(): Missed {
    this.fit();
    return { events: this.events, cut: this.cut };
  }

  private fit(): void {
    let first = 0;
    for (; this.size > this.bytes && first < this.events.length; first++) {
      const event = this.events[first];
      if (event === undefined) break;
      this.size -= sizeOf(event);
      this.cut = event.kv.modRevision;
    }
    // A revision is told whole or not at all.
    while (first > 0 && this.events[first]?.kv.modRevision === this.cut) first++;
    this.events = this.events.slice(first);
  }
}

/** Reads what a watch has missed. @throws CompactedError, GrpcError */
export async function readMissed(asked: Asked, options: MissedOptions): Promise<Missed> {
  const { channel, client, keys, clock, fence } = options;
  const { prefix, from, upTo } = asked;
  const reliable = await serverTellsProgress(client);
  // The fence has to be seen by the same watch.
  const span = keys.under(reliable ? prefix : '');
  const newest = new Newest(asked.bytes ?? Infinity);
  let stream: WatchStream | undefined;
  let cancel = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const ask = (): void => {
        stream?.askProgress();
        cancel = clock.after(ASK_AGAIN_MS, ask, { unref: true, work: true });
      };
      const created = (): void => {
        if (reliable) return ask();
        const write = async (): Promise<void> => {
          while ((await fence.put()) < upTo);
        };
        const due = (): void => void write().catch(reject);
        if (asked.isEvent) cancel = clock.after(FENCE_AFTER_MS, due, { unref: true, work: true });
        else due();
      };
      const message = (told: WatchMessage): void => {
        if (told.canceled) {
          const { compactRevision, reason } = told;
          return reject(
            compactRevision > 0
              ? new CompactedError(from, compactRevision)
              : new GrpcError('Unavailable', reason || 'the watch was canceled'),
          );
        }
        if (told.created) created();
        newest.add(told.events);
        const last = told.id === ALL_WATCHES ? told.revision : (told.events.at(-1)?.kv.modRevision ?? 0);
        if (last >= upTo) resolve();
      };
      openWatchStream(channel, [{ ...span, id: 1, start: from + 1 }], { message, ended: reject }).then(
        opened => void (stream = opened),
        reject,
      );
    });
  } finally {
    cancel();
    stream?.close();
  }
  return newest.result();
}
