import { setTimeout as sleep } from 'node:timers/promises';
import { withoutHidden, isHidden } from './answers.js';
import type { Stream } from './client.js';
import { getAt } from './paths.js';
import type { Collect } from './types.js';

export interface WatchEvent {
  readonly type: string;
  readonly object?: unknown;
}

export interface Watch {
  /** Waits for `count` events or the end, takes them off, and whether the stream has ended. */
  collect(options: Collect, count: number): Promise<{ events: readonly WatchEvent[]; ended: boolean }>;
  close(): void;
}

const DEFAULT_LIMIT_MS = 30_000;
/** Long enough for an event too many to arrive. */
const SETTLE_MS = 150;
const INITIAL_END = 'metadata.annotations["k8s.io/initial-events-end"]';

const rowsHidden = (object: unknown): boolean => {
  const rows = getAt(object, 'rows');
  return Array.isArray(rows) && rows.length === 1 && isHidden(getAt(rows[0], 'object'));
};

export function createWatch({ request, response }: Stream): Watch {
  let events: WatchEvent[] = [];
  let ended = false;
  let wake = (): void => undefined;
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter(text => text.trim() !== '')) {
      const event = JSON.parse(line) as WatchEvent;
      if (isHidden(event.object) || rowsHidden(event.object)) continue;
      withoutHidden(event.object);
      events.push(event);
    }
    wake();
  });
  const end = (): void => {
    ended = true;
    wake();
  };
  for (const emitter of [response, request]) emitter.on('error', end).on('close', end);

  return {
    async collect({ end: untilEnd, bookmarks, settleMs, timeoutMs }, count) {
      const seen = (): WatchEvent[] =>
        events.filter(e => bookmarks === true || e.type !== 'BOOKMARK' || getAt(e.object, INITIAL_END) !== undefined);
      const limit = AbortSignal.timeout(Math.max(timeoutMs ?? 0, DEFAULT_LIMIT_MS));
      const done = (): boolean => ended || limit.aborted || (untilEnd !== true && seen().length >= count);
      while (!done())
        await new Promise<void>(resolve => {
          wake = resolve;
          limit.addEventListener('abort', () => resolve(), { once: true });
        });
      if (untilEnd !== true) await sleep(settleMs ?? SETTLE_MS);
      const taken = seen();
      events = events.filter(event => !taken.includes(event));
      return { events: taken, ended };
    },
    close: () => void request.destroy(),
  };
}
