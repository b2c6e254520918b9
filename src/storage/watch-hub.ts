import type { WatchEvent } from './kv-store.js';

type OnEvents = (events: readonly WatchEvent[]) => void;

interface Watcher {
  readonly prefix: string;
  /** The watcher has seen everything up to here. */
  seen: number;
  readonly onEvents: OnEvents;
  /** Live events that arrive while missed history is still being read. */
  held: WatchEvent[] | undefined;
}

/** Hands the events of commits to the watchers of a driver, in order of revision. */
export interface WatchHub {
  /** `events` are those of one commit or of several in order. */
  publish(events: readonly WatchEvent[]): void;
  /** Live from now on; nothing at or below `fromRevision`. */
  subscribe(prefix: string, fromRevision: number, onEvents: OnEvents): () => void;
  /**
   * Live from now on, but held back until `history` (events above `fromRevision` up to `upTo`, in order) has been
   * delivered.
   */
  subscribeAfter(
    prefix: string,
    fromRevision: number,
    onEvents: OnEvents,
    history: () => Promise<{ events: readonly WatchEvent[]; upTo: number }>,
  ): Promise<() => void>;
  clear(): void;
}

export function createWatchHub(): WatchHub {
  const watchers = new Set<Watcher>();

  const call = (watcher: Watcher, events: readonly WatchEvent[]): void => {
    const fresh = events.filter(e => e.revision > watcher.seen && e.key.startsWith(watcher.prefix));
    const last = events.at(-1);
    if (last !== undefined && last.revision > watcher.seen) watcher.seen = last.revision;
    if (fresh.length === 0) return;
    try {
      watcher.onEvents(fresh);
    } catch (error) {
      // A watcher's fault must neither fail the commit nor starve other watchers, nor go unnoticed.
      queueMicrotask(() => {
        throw error;
      });
    }
  };

  return {
    publish(events) {
      for (const watcher of [...watchers]) {
        if (!watchers.has(watcher)) continue; // stopped by an earlier watcher of this round
        if (watcher.held === undefined) call(watcher, events);
        else for (const event of events) if (event.key.startsWith(watcher.prefix)) watcher.held.push(event);
      }
    },
    subscribe(prefix, fromRevision, onEvents) {
      const watcher: Watcher = { prefix, seen: fromRevision, onEvents, held: undefined };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    async subscribeAfter(prefix, fromRevision, onEvents, history) {
      const watcher: Watcher = { prefix, seen: fromRevision, onEvents, held: [] };
      watchers.add(watcher);
      try {
        const { events, upTo } = await history();
        if (watchers.has(watcher)) {
          call(watcher, events);
          watcher.seen = Math.max(watcher.seen, upTo);
          // A watcher may commit from its callback; those events queue up behind the ones held so far.
          for (let held = watcher.held; held !== undefined && held.length > 0; held = watcher.held) {
            watcher.held = [];
            call(watcher, held);
          }
          watcher.held = undefined;
        }
      } catch (error) {
        watchers.delete(watcher);
        throw error;
      }
      return () => void watchers.delete(watcher);
    },
    clear: () => watchers.clear(),
  };
}
