import { StorageError, type KeyValue } from '../kv-store.js';
import { decodeChange, decodeCurrent, loggedKey, logRevision } from './layout.js';

export interface HistoryCheck {
  /** Every value, then every change, each in order of key. @throws StorageError 'damaged' */
  value(kv: KeyValue): void;
  change(logKey: string, bytes: Buffer): void;
  changes(): number;
  /** Nothing more comes, and this is what the store says of itself. */
  end(state: { readonly revision: number; readonly compacted: number }): void;
}

interface Last {
  readonly revision: number;
  readonly type: 'put' | 'delete';
}

/** Whether the history has every revision, and whether each value is what the history says was written last. */
export function createHistoryCheck(found: (about: string, problem: string) => void): HistoryCheck {
  const values = new Map<string, { readonly mod: number; readonly created: number }>();
  const last = new Map<string, Last>();
  /** Revisions that nothing tells of, between two that something does. */
  const gaps: (readonly [from: number, to: number])[] = [];
  let [first, newest, count] = [0, 0, 0];

  const step = (revision: number): void => {
    if (first === 0) first = revision;
    else if (revision > newest + 1) gaps.push([newest + 1, revision - 1]);
    newest = revision;
  };

  return {
    value({ key, modRevision, createRevision }) {
      values.set(key, { mod: modRevision, created: createRevision });
      if (createRevision > modRevision)
        found(key, `was written at revision ${modRevision}, before it was created at ${createRevision}`);
    },
    change(logKey, bytes) {
      count++;
      const revision = logRevision(logKey);
      if (!Number.isSafeInteger(revision)) throw new StorageError('damaged', 'is no key of the history');
      step(revision);
      const key = loggedKey(logKey);
      const { type, previous } = decodeChange(logKey, bytes);
      const before = previous === undefined ? undefined : decodeCurrent(key, previous).modRevision;
      const known = last.get(key);
      last.set(key, { revision, type });
      const was = known === undefined ? before : known.type === 'put' ? known.revision : undefined;
      if (was !== before || (before ?? 0) >= revision)
        found(key, `at revision ${revision} replaced ${of(before)}, and there was ${of(was)}`);
    },
    changes: () => count,
    end({ revision, compacted }) {
      const oldest = Math.max(first, compacted + 1);
      if (revision > compacted && (first === 0 || first > compacted + 1))
        found('the history', missing(compacted + 1, first === 0 ? revision : first - 1));
      for (const [from, to] of gaps) if (to >= oldest) found('the history', missing(Math.max(from, oldest), to));
      if (newest > revision) found('the history', `goes up to revision ${newest}, and the store to ${revision}`);
      else if (first > 0 && newest < revision && revision > compacted)
        found('the history', missing(Math.max(newest, compacted) + 1, revision));
      for (const [key, { mod }] of values) {
        const change = last.get(key);
        if (mod > revision) found(key, `is of revision ${mod}, and the store of ${revision}`);
        else if (mod > compacted && change === undefined)
          found(key, `is of revision ${mod}, which the history has not`);
      }
      for (const [key, { revision: at, type }] of last) {
        const value = values.get(key);
        if (type === 'put' && value?.mod !== at)
          found(key, `was written at revision ${at}, and there is ${of(value?.mod)}`);
        if (type === 'delete' && value !== undefined)
          found(key, `was deleted at revision ${at}, and there is ${of(value.mod)}`);
      }
    },
  };
}

const of = (revision: number | undefined): string => (revision === undefined ? 'none' : `that of revision ${revision}`);

const missing = (from: number, to: number): string =>
  from >= to ? `has no revision ${from}` : `has no revisions ${from} to ${to}`;
