import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { matches, reasons } from '../fields/reasons.js';
import { schemaFields } from '../fields/schema-fields.js';
import { checkTable, mentions, PAGE_FILE, printPage, readTable } from '../fields/table.js';

const ROOT = process.cwd();
const fields = schemaFields(join(ROOT, 'api-schemas'));
const table = readTable(ROOT);

t.test('every field of every served kind has a reader or a reason', async t => {
  t.ok(fields.length > 1000, 'the schemas were read');
  t.same(checkTable(ROOT, table, fields), [], 'run: node --import tsx test/fields/main.ts');
});

t.test('the page says what the table says', async t => {
  t.equal(readFileSync(join(ROOT, PAGE_FILE), 'utf8'), printPage(table), 'run: node --import tsx test/fields/main.ts');
});

t.test('every reason is some field’s', async t => {
  for (const { id, text } of reasons)
    t.ok(text.length > 20 && Object.values(table).some(entries => Object.values(entries).includes(id)), id);
});

t.test('the check sees what is wrong', async t => {
  const known = [{ type: 'core.v1.PodSpec', field: 'hostname' }];
  const rows = [
    { name: 'a new field', table: {}, expect: /PodSpec.hostname has neither a reader nor a reason/ },
    { name: 'an unknown reason', table: { hostname: 'because' }, expect: /there is no reason "because"/ },
    { name: 'a reader that is gone', table: { hostname: ['src/gone.ts'] }, expect: /src\/gone.ts is gone/ },
    { name: 'a reader that reads it no more', table: { hostname: ['package.json'] }, expect: /no longer mentions it/ },
    { name: 'a field that is gone', table: { hostname: 'windows', old: 'windows' }, expect: /PodSpec.old is no field/ },
  ];
  for (const { name, table: entries, expect } of rows)
    t.match(checkTable(ROOT, { 'core.v1.PodSpec': entries }, known).join('\n'), expect, name);
  t.same(checkTable(ROOT, { 'core.v1.PodSpec': { hostname: 'windows' } }, known), []);
});

t.test('words and patterns', async t => {
  t.equal(mentions('a.hostnames, setHostname, hostname_', 'hostname'), false);
  t.equal(mentions('{ hostnames, hostname }', 'hostname'), true);
  const field = { type: 'core.v1.PodSecurityContext', field: 'windowsOptions' };
  t.equal(matches('core.v1.*SecurityContext.windowsOptions', field), true);
  t.equal(matches('core.v1.PodSecurity*', field), true);
  t.equal(matches('core.v1.PodSecurityContext', field), true);
  t.equal(matches('core.v1.PodSecurityContext.windows', field), false);
});
