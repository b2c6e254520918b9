import type { WatchEvent, WatchHandlers } from './kv-store.js';

interface Watcher {
  readonly prefix: string;
  /** The watcher has seen everything up to here. */
  seen: number;
  readonly handlers: WatchHandlers;
  /** Live events that arrive while missed history is still being read. */
  held: WatchEvent[] | undefined;
}

/** Hands the events of commits to the watchers of a driver, in order of revision. */
export interface WatchHub {
  /** `events` are those of one commit or of several in order. */
  publish(events: readonly WatchEvent[]): void;
  /** Live from now on; nothing at or below `fromRevision`. */
  subscribe(prefix: string, fromRevision: number, handlers: WatchHandlers): () => void;
  /**
   * Live from now on, but held back until `history` (events above `fromRevision` up to `upTo`, in order) has been
   * delivered.
   */
  subscribeAfter(
    prefix: string,
    fromRevision: number,
    handlers: WatchHandlers,
    history: () => Promise<{ events: readonly WatchEvent[]; upTo: number }>,
  ): Promise<() => void>;
  /** Nothing that is published later has a revision up to this one. */
  progress(revision: number): void;
  /** Ends every watch; each is told. `after`: everything up to it has been published. */
  lose(after: number): void;
  clear(): void;
}

export function createWatchHub(): WatchHub {
  const watchers = new Set<Watcher>();

  const call = (watcher: Watcher, events: readonly WatchEvent[]): void => {
    const { seen } = watcher;
    const fresh = events.filter(e => e.revision > seen && e.key.startsWith(watcher.prefix));
    const last = events.at(-1);
    if (last !== undefined && last.revision > seen) watcher.seen = last.revision;
    if (fresh.length === 0) return;
    try {
      watcher.handlers.events(fresh);
    } catch (fault) {
      // It must neither fail the commit nor starve other watchers, nor go unnoticed.
      watchers.delete(watcher);
      watcher.handlers.lost({ after: seen, fault });
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
    progress(revision) {
      for (const watcher of [...watchers]) {
        if (watcher.held !== undefined || watcher.seen >= revision) continue;
        watcher.seen = revision;
        watcher.handlers.progress?.(revision);
      }
    },
    subscribe(prefix, fromRevision, handlers) {
      const watcher: Watcher = { prefix, seen: fromRevision, handlers, held: undefined };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    async subscribeAfter(prefix, fromRevision, handlers, history) {
      const watcher: Watcher = { prefix, seen: fromRevision, handlers, held: [] };
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
    lose(after) {
      for (const watcher of [...watchers]) {
        if (!watchers.delete(watcher)) continue;
        // One that still reads its history has been given nothing of it.
        watcher.handlers.lost({ after: watcher.held === undefined ? Math.max(watcher.seen, after) : watcher.seen });
      }
    },
    clear: () => watchers.clear(),
  };
}
