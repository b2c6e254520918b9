import { setMaxListeners } from 'node:events';
import type { Clock } from '../../machinery/clock.js';
import type { AuditSink } from '../audit/auditor.js';
import type { Dialer } from '../dial/types.js';
import type { HttpServer } from '../http-server.js';
import type { UnderWay } from '../pipeline/under-way.js';
import type { KvStore } from '../../storage/kv-store.js';

/** A stopping server waits for its last requests as long as any of them may take. */
const DRAIN_MS = 60_000;

/** What ends with a server. */
export interface Ending {
  readonly http: Pick<HttpServer, 'stopListening' | 'close'>;
  readonly underWay: Pick<UnderWay, 'drain'>;
  readonly dialer: Pick<Dialer, 'close'>;
  readonly audit: AuditSink | undefined;
  readonly store: Pick<KvStore, 'close'>;
}

/** Whether a server serves, and how it stops to. The signals abort in the order in which they stand here. */
export interface Lifetime {
  /** It has been told to stop. */
  readonly toldToStop: AbortSignal;
  /** Watches end. */
  readonly ending: AbortSignal;
  /** All that works in the background ends. */
  readonly stopping: AbortSignal;
  readonly ready: () => boolean;
  /** From now on it serves. */
  begin(): void;
  end(parts: Ending): Promise<void>;
}

/** @param delayMs how long a server that is told to stop serves on */
export function createLifetime(clock: Pick<Clock, 'sleep'>, delayMs: number): Lifetime {
  const [toldToStop, ending, stopping] = [new AbortController(), new AbortController(), new AbortController()];
  // Every watch listens to it: thousands are no leak.
  setMaxListeners(0, ending.signal);
  setMaxListeners(0, stopping.signal);
  let ready = false;
  return {
    toldToStop: toldToStop.signal,
    ending: ending.signal,
    stopping: stopping.signal,
    ready: () => ready,
    begin() {
      ready = true;
    },
    async end({ http, underWay, dialer, audit, store }) {
      const reason = new Error('the server is stopping');
      toldToStop.abort(reason);
      // Those who send requests here look at /readyz, and need a while to notice.
      if (ready && delayMs > 0) await clock.sleep(delayMs);
      http.stopListening();
      ending.abort(reason);
      await underWay.drain(DRAIN_MS);
      ready = false;
      stopping.abort(reason);
      await http.close();
      dialer.close();
      // What has been answered is on record: whoever stops the server may end the process next.
      await audit?.flush();
      await store.close();
    },
  };
}
