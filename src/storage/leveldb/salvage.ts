import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../kv-store.js';
import { readFolder, type Damage } from './files/read-folder.js';
import { freeName } from './free-name.js';
import { shown } from './inspect.js';
import {
  CURRENT,
  decodeChange,
  decodeCurrent,
  LOG,
  loggedKey,
  logRevision,
  META_FORMAT,
  META_STATE,
  OLD_FORMAT,
  withChecksum,
  type Change,
} from './layout.js';
import { NEWEST_REVISION } from './newest-revision-file.js';
import { beginNewestRevision, readNewestRevision } from './newest-revision.js';
import { decodeState } from './state.js';
import { writeStore, type StoreWriter } from './write-store.js';

/** What had to be given up, in lines fit for a terminal. */
export type Losses = string[];

/** Revisions that were given out and that nothing tells of any more: far fewer were ever written between two syncs. */
const MARGIN = 100_000;
const MOST_NAMES = 20;

/**
 * Puts in the place of a damaged folder one that opens, with what can still be read; the damaged one is moved aside. No
 * revision is ever given out twice, and there is no history: every client lists again.
 */
export async function salvage(dir: string, newestFile: string, reason: string): Promise<Losses> {
  const losses: Losses = [reason];
  const made = `${dir}-repairing`;
  await rm(made, { recursive: true, force: true });
  const said = await readNewestRevision(newestFile);
  const writer = await writeStore(made);
  try {
    const past = await readPast(dir, losses);
    const newest = Math.max(past.newest, await keepReadable(dir, past, writer, losses));
    const revision = Math.max(typeof said === 'number' ? said : newest + MARGIN, newest) + 1;
    if (newest < revision - 1)
      losses.push(
        typeof said === 'number'
          ? `lost: revisions ${newest + 1} to ${revision - 1}; what they changed is as it was before them`
          : `revisions go on at ${revision}: nothing says what was the newest`,
      );
    const { keys } = await writer.finish(revision, join(made, NEWEST_REVISION));
    losses.push(`kept: ${keys} objects, as of revision ${newest}`);
    await writer.close();
    losses.splice(1, 0, `the folder as it was is in ${await replace(dir, made, newestFile, revision)}`);
    return losses;
  } catch (error) {
    await writer.close();
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}

/** @returns where the damaged folder is now */
async function replace(dir: string, made: string, newestFile: string, revision: number): Promise<string> {
  const aside = await freeName(`${dir}-damaged`);
  const isInside = newestFile === join(dir, NEWEST_REVISION);
  await rename(dir, aside);
  if (!isInside) {
    // It belongs to what is kept: with it, that can be put back.
    await cp(newestFile, join(aside, NEWEST_REVISION), { force: true }).catch(unless('ENOENT'));
    await (await beginNewestRevision(newestFile, revision)).close();
    await rm(join(made, NEWEST_REVISION));
  }
  await rename(made, dir);
  return aside;
}

/** What the history and the store itself say. */
interface Past {
  readonly old: boolean;
  /** The newest revision that any of it tells of. */
  readonly newest: number;
  /** The last that is known to have happened to a key. */
  readonly last: ReadonlyMap<string, Change & { readonly revision: number }>;
}

async function readPast(dir: string, losses: Losses): Promise<Past> {
  const last = new Map<string, Change & { revision: number }>();
  let [newest, old] = [0, false];
  const onDamage = ({ file, problem, after, upTo }: Damage): void => {
    const held =
      upTo === undefined
        ? ''
        : `, between ${after === undefined ? 'the first key' : shown(after.toString())} and ${shown(upTo.toString())}`;
    losses.push(`lost: what was newest in file ${file}${held}: ${problem}`);
  };
  for await (const { key, value } of readFolder(dir, onDamage)) {
    const text = key.toString();
    const bytes = value as Buffer;
    if (text.startsWith(LOG)) {
      const revision = logRevision(text);
      if (!Number.isSafeInteger(revision)) continue;
      newest = Math.max(newest, revision);
      const change = unlessDamaged(() => decodeChange(text, bytes));
      if (change !== undefined) last.set(loggedKey(text), { ...change, revision });
    } else if (text === META_FORMAT) old = bytes.toString() === OLD_FORMAT;
    else if (text === META_STATE) newest = Math.max(newest, unlessDamaged(() => decodeState(bytes).revision) ?? 0);
  }
  return { old, newest, last: old ? new Map() : last };
}

/**
 * Writes the values that are not damaged; where the newest is, the one before it, which its change has kept. @returns the newest
 * revision among them
 */
async function keepReadable(dir: string, { old, last }: Past, writer: StoreWriter, losses: Losses): Promise<number> {
  const lost: string[] = [];
  const undecided = new Set(last.keys());
  let newest = 0;
  const keep = async (key: string, bytes: Buffer | undefined, damaged: boolean): Promise<void> => {
    undecided.delete(key);
    const kv = bytes && unlessDamaged(() => decodeCurrent(key, bytes));
    const change = last.get(key);
    const before = change?.previous && unlessDamaged(() => decodeCurrent(key, change.previous as Buffer));
    const isBehind = change !== undefined && (kv?.modRevision ?? 0) < change.revision;
    // It came back from where it had not been forgotten yet.
    if (isBehind && change.type === 'delete') return;
    const kept = isBehind && (before?.modRevision ?? 0) > (kv?.modRevision ?? 0) ? before : kv;
    if (damaged || isBehind) lost.push(nameLost(key, damaged, change?.revision, kept?.modRevision));
    if (kept === undefined) return;
    newest = Math.max(newest, kept.modRevision);
    await writer.put(kept);
  };
  for await (const { key, value } of readFolder(dir, () => undefined)) {
    const text = key.toString();
    if (!text.startsWith(CURRENT)) continue;
    const name = text.slice(CURRENT.length);
    const bytes = unlessDamaged(() => {
      const checked = old ? withChecksum(name, value as Buffer) : (value as Buffer);
      decodeCurrent(name, checked);
      return checked;
    });
    await keep(name, bytes, bytes === undefined);
  }
  for (const key of undecided) await keep(key, undefined, false);
  losses.push(...lost.slice(0, MOST_NAMES));
  if (lost.length > MOST_NAMES) losses.push(`lost: ${lost.length - MOST_NAMES} more values`);
  return newest;
}

function nameLost(key: string, damaged: boolean, revision: number | undefined, kept: number | undefined): string {
  const what = damaged ? `${key}, whose value is damaged` : `${key} as of revision ${revision ?? 0}`;
  return kept === undefined ? `lost: ${what}` : `lost: ${what}; it is as it was at revision ${kept}`;
}

function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}

const unless =
  (code: string) =>
  (error: unknown): void => {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
  };
