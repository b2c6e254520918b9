import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logName, tableName } from './check-files.js';
import type { Entry } from './internal-key.js';
import { logRecords } from './log-records.js';
import { readManifest, type Manifest } from './manifest.js';
import { compare, newestEntries, type Source } from './merge.js';
import { tableEntries, type DamagedPart } from './table.js';
import { batchEntries } from './write-batch.js';

/** A part of a file that cannot be read. */
export interface Damage extends DamagedPart {
  readonly file: string;
}

/**
 * What the keys of a LevelDB folder hold, in order of key, read from its files and without LevelDB, which writes in every
 * folder that it opens. What is damaged is told and left out; where nothing says which files count, all do.
 */
export async function* readFolder(dir: string, onDamage: (damage: Damage) => void): AsyncGenerator<Entry> {
  const files = await readdir(dir);
  const manifest = await manifestOf(dir, files);
  const sources: Source[] = [];
  for (const file of files) {
    const [, digits, kind] = /^(\d+)\.(ldb|sst|log)$/.exec(file) ?? [];
    const number = Number(digits);
    if (kind === 'log') {
      if (manifest === undefined || number >= manifest.log)
        sources.push(logSource(await readFile(join(dir, file)), file, onDamage));
    } else if (kind !== undefined) {
      const known = manifest?.tables.get(number);
      if (manifest === undefined || known !== undefined)
        sources.push(await tableSource(dir, file, known?.firstKey, onDamage));
    }
  }
  const present = new Set(files);
  if (manifest !== undefined)
    for (const number of manifest.tables.keys())
      if (!present.has(tableName(number))) onDamage({ file: tableName(number), problem: 'it is missing' });
  if (manifest !== undefined && manifest.log !== 0 && !present.has(logName(manifest.log)))
    onDamage({ file: logName(manifest.log), problem: 'it is missing' });
  yield* newestEntries(sources);
}

/** undefined: nothing tells which files count. */
async function manifestOf(dir: string, files: readonly string[]): Promise<Manifest | undefined> {
  if (!files.includes('CURRENT')) return undefined;
  const name = (await readFile(join(dir, 'CURRENT'), 'latin1')).trimEnd();
  if (!/^MANIFEST-\d+$/.test(name) || !files.includes(name)) return undefined;
  try {
    return readManifest(await readFile(join(dir, name)));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function tableSource(
  dir: string,
  file: string,
  firstKey: Buffer | undefined,
  onDamage: (damage: Damage) => void,
): Promise<Source> {
  const open = async (): Promise<Iterator<Entry>> =>
    tableEntries(await readFile(join(dir, file)), part => onDamage({ file, ...part }));
  if (firstKey !== undefined) return { firstKey, open };
  // What is damaged is told when it is read through.
  const first = tableEntries(await readFile(join(dir, file)), () => undefined).next();
  return { firstKey: first.done === true ? Buffer.alloc(0) : first.value.key, open };
}

function logSource(bytes: Buffer, file: string, onDamage: (damage: Damage) => void): Source {
  const entries = logRecords(bytes, problem => onDamage({ file, problem }))
    .flatMap(record => {
      try {
        return batchEntries(record);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        onDamage({ file, problem: error.message });
        return [];
      }
    })
    .sort(compare);
  return { firstKey: Buffer.alloc(0), open: () => entries[Symbol.iterator]() };
}
