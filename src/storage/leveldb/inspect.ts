import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, type KeyValue } from '../kv-store.js';
import { fileProblems } from './files/check-files.js';
import { readFolder } from './files/read-folder.js';
import { createHistoryCheck } from './inspect-history.js';
import { CURRENT, decodeCurrent, FORMAT, LOG, META_COMPACTED, META_FORMAT, META_STATE, OLD_FORMAT } from './layout.js';
import { readNewestRevision } from './newest-revision.js';
import { decodeCompacted, decodeState, NOTHING, replaced, type State } from './state.js';

/** One thing that is wrong, and with what: a file, a key, the store. */
export interface Finding {
  readonly about: string;
  readonly problem: string;
}

/** What a store says of itself. */
export interface Summary {
  readonly revision: number;
  readonly compacted: number;
  readonly objects: number;
  /** Old revisions that can be read. */
  readonly changes: number;
  readonly files: number;
  readonly bytes: number;
}

export interface Inspector {
  found(finding: Finding): void;
  /** Told every value that can be read, in order of key. */
  value?(kv: KeyValue): void;
}

const STORE = 'the store';

/**
 * Reads a whole store that nobody has open, and changes nothing in it: the files' checksums, what its keys are, whether its
 * values, its history and what it says of itself agree.
 */
export async function inspectStore(dir: string, newestFile: string, inspector: Inspector): Promise<Summary> {
  const found = (about: string, problem: string): void => inspector.found({ about, problem });
  for await (const problem of fileProblems(dir)) {
    const [, file = STORE, what = problem] = /^file (\S+?):? (.*)$/.exec(problem) ?? [];
    found(file, what);
  }
  const history = createHistoryCheck(found);
  const meta = new Map<string, Buffer>();
  let held: State = NOTHING;
  const read = (key: string, bytes: Buffer): void => {
    if (key.startsWith(CURRENT)) {
      const kv = decodeCurrent(key.slice(CURRENT.length), bytes);
      held = replaced(held, undefined, bytes);
      history.value(kv);
      inspector.value?.(kv);
    } else if (key.startsWith(LOG)) history.change(key, bytes);
    else if ([META_FORMAT, META_STATE, META_COMPACTED].includes(key)) meta.set(key, bytes);
    else found(JSON.stringify(key), 'is no key of a store');
  };
  const format = (): string | undefined => meta.get(META_FORMAT)?.toString();
  const entries = readFolder(dir, ({ file, problem, after, upTo }) => {
    // What is wrong with a table has been said; here it is told what was in it.
    if (upTo !== undefined) found(file, `held what lies ${between(after, upTo)}`);
    else if (file.endsWith('.log')) found(file, problem);
  });
  const unread: Finding[] = [];
  for await (const { key, value } of entries) {
    try {
      read(key.toString(), value as Buffer);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      unread.push({ about: shown(key.toString()), problem: error.message });
    }
  }
  if (format() === OLD_FORMAT) {
    found(STORE, `has the format ${OLD_FORMAT}, which has no checksums: an API server adds them when it opens it`);
    return { revision: 0, compacted: 0, objects: 0, changes: 0, ...(await sizeOf(dir)) };
  }
  for (const finding of unread) inspector.found(finding);
  if (meta.size + held.keys + history.changes() > 0 && format() !== FORMAT)
    found(STORE, format() === undefined ? 'has no format version' : `has the unknown format version ${format() ?? ''}`);
  const state = said(META_STATE, decodeState, NOTHING);
  const compacted = said(META_COMPACTED, decodeCompacted, 0);
  if (held.keys !== state.keys) found(STORE, `holds ${held.keys} objects where it held ${state.keys}`);
  else if (held.sum !== state.sum) found(STORE, 'holds values that are older than the newest');
  history.end({ revision: state.revision, compacted });
  const newest = await readNewestRevision(newestFile);
  if (typeof newest === 'string') {
    if (state.revision > 0 || newest === 'damaged')
      found('newest-revision', `is ${newest}: nobody can tell whether commits after ${state.revision} are lost`);
  } else if (newest > state.revision)
    found(STORE, `has revision ${state.revision}, and ${newest} has been acknowledged`);
  const { revision } = state;
  return { revision, compacted, objects: held.keys, changes: history.changes(), ...(await sizeOf(dir)) };

  function said<T>(key: string, decode: (bytes: Buffer) => T, nothing: T): T {
    const bytes = meta.get(key);
    try {
      return bytes === undefined ? nothing : decode(bytes);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      found(STORE, `does not say what it holds: ${error.message}`);
      return nothing;
    }
  }
}

/** A key of LevelDB as people know it. */
export const shown = (dbKey: string): string =>
  dbKey.startsWith(CURRENT) ? dbKey.slice(CURRENT.length) : JSON.stringify(dbKey);

const between = (after: Buffer | undefined, upTo: Buffer): string =>
  after === undefined
    ? `before ${shown(upTo.toString())}`
    : `between ${shown(after.toString())} and ${shown(upTo.toString())}`;

/** What the folder takes on disk. */
export async function sizeOf(dir: string): Promise<{ files: number; bytes: number }> {
  let bytes = 0;
  const files = await readdir(dir);
  for (const file of files) bytes += (await stat(join(dir, file))).size;
  return { files: files.length, bytes };
}
