import t from 'tap';
import { isTooDeep, MAX_JSON_DEPTH } from '../../../src/machinery/json-depth.js';
import { applyJsonPatch } from '../../../src/machinery/json-patch/apply.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { StatusError } from '../../../src/machinery/status.js';
import { yamlToJson } from '../../../src/api/codec/yaml.js';

const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

t.test('JSON is too deep one level below the bound, brackets in strings not counted', async t => {
  for (const { name, input, expect } of [
    { name: 'at the bound', input: lists(MAX_JSON_DEPTH), expect: false },
    { name: 'below it', input: lists(MAX_JSON_DEPTH + 1), expect: true },
    { name: 'side by side', input: `[${'[],'.repeat(5_000)}[]]`, expect: false },
    { name: 'in a string', input: JSON.stringify('['.repeat(5_000)), expect: false },
    { name: 'behind an escaped quote', input: JSON.stringify(`"\\"${'['.repeat(5_000)}`), expect: false },
    { name: 'an open string', input: `"${'['.repeat(5_000)}`, expect: false },
  ])
    t.equal(isTooDeep(Buffer.from(input)), expect, name);
});

t.test('YAML that is too deep is refused in go-yaml’s words', async t => {
  for (const text of [lists(60_000), '['.repeat(60_000), '{a: '.repeat(60_000), '- '.repeat(60_000)])
    t.match(yamlToJson(text).error, /exceeded max depth of 10000/, text.slice(0, 4));
});

t.test('a JSON patch that nests a value until the stack ends is refused, not a fault', async t => {
  const deep = JSON.parse(lists(900)) as unknown;
  const operations = Array.from({ length: 60 }, (_, i) => ({ op: 'add', path: '/0'.repeat(900 * i + 1), value: deep }));
  const patch = (): unknown => atOnce(applyJsonPatch([[]], [...operations, { op: 'copy', from: '/0', path: '/1' }]));
  t.throws(patch, StatusError);
});
