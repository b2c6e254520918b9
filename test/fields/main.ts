import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { findReaders } from './find-readers.js';
import { plainReaders, sameCode } from './plain-readers.js';
import { matches, reasons } from './reasons.js';
import { type SchemaField, schemaFields } from './schema-fields.js';
import { checkTable, type FieldTable, mentions, PAGE_FILE, printPage, readTable, TABLE_FILE } from './table.js';

/*
 * Makes the table of fields and its page anew: readers that the type checker finds, those named in plain-readers.ts, then
 * the reasons, and last what the table said before by hand and is still true. Prints what has neither.
 */

/** They look at every field, which is no effect. */
const NO_READERS =
  /^src\/api\/(codec|openapi|build)\/|^src\/kinds\/(.*\/)?validation\/|-defaults\.ts$|-warnings\.ts$|^src\/cmd\/trace/;
/** What gives a field its effect comes before what only checks it at the door. */
const ORDER = [
  /^src\/(controllers|dataplane|dns|nodeagent)\//,
  /^src\/server\/(admission|auth|registry|connect)\//,
  /^src\/(machinery|client)\//,
  /./,
];
const MOST = 3;

const byWeight = (a: string, b: string): number => {
  const weight = (file: string): number => ORDER.findIndex(pattern => pattern.test(file));
  return weight(a) - weight(b) || (a < b ? -1 : 1);
};
const shortName = (type: string): string => type.slice(type.lastIndexOf('.') + 1);

const ROOT = process.cwd();
const fields = schemaFields(join(ROOT, 'api-schemas'));
const typed = findReaders(ROOT);
const before = readTable(ROOT);
const textOf = (file: string): string => (existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : '');

function readersOf({ type, field }: SchemaField): string[] {
  const names = [shortName(type), ...(sameCode[type] === undefined ? [] : [sameCode[type]])];
  const found = new Set(names.flatMap(name => [...(typed.get(`${name}.${field}`) ?? [])]));
  for (const { types, files } of plainReaders)
    if (types.some(pattern => matches(pattern, { type, field })))
      for (const file of files) if (mentions(textOf(file), field)) found.add(file);
  return [...found]
    .filter(file => !NO_READERS.test(file))
    .sort(byWeight)
    .slice(0, MOST);
}

const table: Record<string, Record<string, readonly string[] | string>> = {};
for (const each of fields) {
  const { type, field } = each;
  const entries = (table[type] ??= {});
  const reason = reasons.find(({ fields: patterns }) => patterns.some(pattern => matches(pattern, each)));
  // Pod Security's look at a field is an effect, but not the one that its name promises.
  const readers = readersOf(each);
  const onlyChecked = readers.every(file => /pod-security|^src\/kinds\//.test(file));
  const earlier = before[type]?.[field];
  const kept = Array.isArray(earlier) ? (earlier as string[]).filter(file => mentions(textOf(file), field)) : [];
  const excused = reason !== undefined && (onlyChecked || reason.always === true);
  if (readers.length > 0 && !excused) entries[field] = readers;
  else if (reason !== undefined) entries[field] = reason.id;
  else if (kept.length > 0) entries[field] = kept;
}
for (const type of Object.keys(table)) if (Object.keys(table[type] ?? {}).length === 0) delete table[type];
const result: FieldTable = table;

const put = (file: string, text: string): void => {
  mkdirSync(dirname(join(ROOT, file)), { recursive: true });
  writeFileSync(join(ROOT, file), text);
};
put(TABLE_FILE, `${JSON.stringify(result, undefined, 1)}\n`);
put(PAGE_FILE, printPage(result));
const wrong = checkTable(ROOT, result, fields);
process.stdout.write(`${fields.length} fields, ${wrong.length} without reader and reason\n`);
for (const line of wrong) process.stdout.write(`${line}\n`);
if (wrong.length > 0) process.exitCode = 1;
