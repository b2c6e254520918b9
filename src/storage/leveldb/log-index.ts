import { LOG_END, loggedKey, logRevision, logStart } from './layout.js';
import type { Db } from './raw.js';

const KEY_CHUNK = 2000;

/** The revisions between which a folder of keys was changed; in between there may be others' changes. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * Where in the log the changes of a folder of keys are ("/registry/pods/", "/registry/pods/default/"), so that who follows
 * one need not read what all others wrote: a server with a thousand kinds reads the past once and not a thousand times.
 */
export interface LogIndex {
  /** Before the change is written: a snapshot that has it must not be newer than the index. */
  note(key: string, revision: number): void;
  /** Everything that was in the log before the first note is known from then on. */
  ready(db: Db): Promise<void>;
  /** undefined: nothing was changed. Of what is no folder: everything. */
  spanOf(prefix: string): Span | undefined;
  /** Changes up to this revision are of no interest any more. */
  forget(upTo: number): void;
}

export function createLogIndex(after: number): LogIndex {
  const spans = new Map<string, { first: number; last: number }>();
  let forgotten = after;
  let reading: Promise<void> | undefined;

  const note = (key: string, revision: number): void => {
    for (let end = key.indexOf('/'); end >= 0; end = key.indexOf('/', end + 1)) {
      const folder = key.slice(0, end + 1);
      const span = spans.get(folder);
      if (span === undefined) spans.set(folder, { first: revision, last: revision });
      else {
        span.first = Math.min(span.first, revision);
        span.last = Math.max(span.last, revision);
      }
    }
  };

  const read = async (db: Db): Promise<void> => {
    const keys = db.keys({ gte: logStart(forgotten + 1), lt: LOG_END });
    try {
      for (let chunk = await keys.nextv(KEY_CHUNK); chunk.length > 0; chunk = await keys.nextv(KEY_CHUNK))
        for (const logKey of chunk) note(loggedKey(logKey), logRevision(logKey));
    } finally {
      await keys.close();
    }
  };

  return {
    note,
    ready(db) {
      reading ??= read(db).catch((error: unknown) => {
        reading = undefined;
        throw error;
      });
      return reading;
    },
    spanOf: prefix => (prefix.endsWith('/') ? spans.get(prefix) : { first: 0, last: Number.MAX_SAFE_INTEGER - 1 }),
    forget(upTo) {
      forgotten = Math.max(forgotten, upTo);
      for (const [folder, { last }] of spans) if (last <= upTo) spans.delete(folder);
    },
  };
}
