import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasons } from './reasons.js';
import type { SchemaField } from './schema-fields.js';

/** By type and field: the files that read it, or the id of the reason why nothing does. */
export type FieldTable = Readonly<Record<string, Readonly<Record<string, readonly string[] | string>>>>;

export const TABLE_FILE = 'test/fixtures/field-readers.json';
export const PAGE_FILE = 'docs/fields.md';

export const readTable = (root: string): FieldTable =>
  existsSync(join(root, TABLE_FILE)) ? (JSON.parse(readFileSync(join(root, TABLE_FILE), 'utf8')) as FieldTable) : {};

/** Whether a file says the name as a word of its own. */
export function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1))
    if (!isWord(text[at - 1]) && !isWord(text[at + name.length])) return true;
  return false;
}
const isWord = (char: string | undefined): boolean => char !== undefined && /[A-Za-z0-9_$]/.test(char);

/** What is wrong with the table, one line each. */
export function checkTable(root: string, table: FieldTable, fields: readonly SchemaField[]): string[] {
  const texts = new Map<string, string | undefined>();
  const textOf = (file: string): string | undefined => {
    if (!texts.has(file))
      texts.set(file, existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined);
    return texts.get(file);
  };
  const wrong: string[] = [];
  const known = new Set(fields.map(({ type, field }) => `${type}.${field}`));
  for (const { type, field } of fields) {
    const entry = table[type]?.[field];
    const name = `${type}.${field}`;
    if (entry === undefined || entry.length === 0) wrong.push(`${name} has neither a reader nor a reason`);
    else if (typeof entry === 'string') {
      if (!reasons.some(({ id }) => id === entry)) wrong.push(`${name}: there is no reason ${JSON.stringify(entry)}`);
    } else
      for (const file of entry) {
        const text = textOf(file);
        if (text === undefined) wrong.push(`${name}: ${file} is gone`);
        else if (!mentions(text, field)) wrong.push(`${name}: ${file} no longer mentions it`);
      }
  }
  for (const [type, entries] of Object.entries(table))
    for (const field of Object.keys(entries))
      if (!known.has(`${type}.${field}`)) wrong.push(`${type}.${field} is no field on by default`);
  return wrong;
}

/** The table for people. */
export function printPage(table: FieldTable): string {
  const lines = [
    '# What reads which field',
    '',
    'Every field of every served kind that is on by default in Kubernetes 1.35, and the code that gives it its effect, beside',
    'validation and defaults. Generated from `test/fixtures/field-readers.json` by `node --import tsx test/fields/main.ts`; the test',
    '`test/unit/field-readers.test.ts` fails when a field has neither a reader nor a reason.',
    '',
    '## Fields without an effect',
  ];
  for (const { id, text } of reasons) {
    const without = Object.entries(table).flatMap(([type, entries]) => {
      const fields = Object.keys(entries).filter(field => entries[field] === id);
      if (fields.length === 0) return [];
      const all = fields.length === Object.keys(entries).length;
      return [`- ${type}: ${all ? 'all' : fields.join(', ')}`];
    });
    if (without.length > 0) lines.push('', text, '', ...without);
  }
  lines.push('', '## Fields with an effect', '');
  for (const [type, entries] of Object.entries(table)) {
    const read = Object.entries(entries).filter(([, entry]) => typeof entry !== 'string');
    if (read.length === 0) continue;
    lines.push(`### ${type}`, '', '| field | read by |', '|---|---|');
    for (const [field, files] of read)
      lines.push(`| ${field} | ${(files as readonly string[]).map(file => file.replace(/^src\//, '')).join(', ')} |`);
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
