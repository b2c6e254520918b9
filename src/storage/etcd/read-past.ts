import type { ReplayBound, WatchEvent } from '../kv-store.js';
import { ourEvents } from './events.js';
import type { KeySpace } from './key-space.js';
import type { StoredEvent } from './messages/watch.js';
import type { Asked, Missed } from './missed.js';

/** How far back a start reads at most: etcd does not say how much there is. */
const REVISIONS = 10_000;
/** Of what is read for all who start at a time, where each cannot be read for itself. */
const SHARED = 4;

export interface PastOptions {
  readonly keys: KeySpace;
  read(asked: Asked): Promise<Missed>;
  /** Whether each prefix can be read by itself. */
  readonly apart: boolean;
}

export interface PastAsked extends Pick<Asked, 'prefix' | 'from' | 'upTo' | 'isEvent'> {
  readonly replay: ReplayBound | undefined;
}

export interface Past {
  readonly events: readonly WatchEvent[];
  readonly upTo: number;
}

/** What the watches of a process have missed; those that start together, as all do with a server, are read for together. */
export function createPast(options: PastOptions): (asked: PastAsked) => Promise<Past> {
  const { keys, apart } = options;
  const underWay = new Map<string, Promise<Missed>>();
  const once = (asked: Asked): Promise<Missed> => {
    const id = JSON.stringify(asked);
    let reading = underWay.get(id);
    if (reading === undefined) {
      reading = options.read(asked).finally(() => underWay.delete(id));
      underWay.set(id, reading);
    }
    return reading;
  };

  return async ({ prefix, from, upTo, isEvent, replay }: PastAsked): Promise<Past> => {
    const start = replay === undefined ? from : Math.max(from, upTo - REVISIONS);
    const bytes = replay === undefined ? undefined : replay.bytes * (apart ? 1 : SHARED);
    const { events, cut } = await once({ prefix: apart ? prefix : '', from: start, upTo, isEvent, bytes });
    const stored = keys.stored(prefix);
    const mine = events.filter(({ kv }) => kv.key.startsWith(stored));
    const left = replay === undefined ? 0 : Math.max(cut, start > from ? start : 0, excess(mine, replay.bytes));
    if (left > 0) replay?.onCut(left);
    return {
      events: ourEvents(
        mine.filter(({ kv }) => kv.modRevision > left),
        keys,
      ),
      upTo,
    };
  };
}

/** Up to which revision events are too many. */
function excess(events: readonly StoredEvent[], bytes: number): number {
  let size = 0;
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i];
    if (event === undefined) continue;
    size += event.kv.value.length + (event.previous?.value.length ?? 0);
    if (size > bytes) return event.kv.modRevision;
  }
  return 0;
}
