import { logRecords } from './log-records.js';
import { userKey } from './internal-key.js';
import { ByteReader } from './varint.js';

export interface TableFile {
  readonly size: number;
  /** Of its first entry. */
  readonly firstKey: Buffer;
}

/** What the manifest says the folder holds. */
export interface Manifest {
  /** Table files by number. */
  readonly tables: ReadonlyMap<number, TableFile>;
  /** The write-ahead log in use; 0 when none was begun yet. */
  readonly log: number;
}

const TAG = { comparator: 1, log: 2, next: 3, sequence: 4, pointer: 5, deleted: 6, added: 7, previousLog: 9 } as const;

/** Follows the edits from the first to the last. @throws RangeError when they are damaged */
export function readManifest(bytes: Buffer): Manifest {
  const tables = new Map<number, TableFile>();
  let log: number | undefined;
  let next: number | undefined;
  const records = logRecords(bytes);
  for (const record of records) {
    const edit = new ByteReader(record);
    while (!edit.atEnd) {
      const tag = edit.varint();
      if (tag === TAG.log) log = edit.varint();
      else if (tag === TAG.next) next = edit.varint();
      else if (tag === TAG.sequence || tag === TAG.previousLog) edit.varint();
      else if (tag === TAG.comparator) edit.take(edit.varint());
      else if (tag === TAG.pointer) {
        edit.varint();
        edit.take(edit.varint());
      } else if (tag === TAG.deleted) {
        edit.varint();
        tables.delete(edit.varint());
      } else if (tag === TAG.added) {
        edit.varint();
        const number = edit.varint();
        const size = edit.varint();
        tables.set(number, { size, firstKey: userKey(edit.take(edit.varint())) });
        edit.take(edit.varint());
      } else throw new RangeError(`an edit has the unknown tag ${tag}`);
    }
  }
  if (log === undefined || next === undefined) throw new RangeError('it is cut short');
  return { tables, log };
}
