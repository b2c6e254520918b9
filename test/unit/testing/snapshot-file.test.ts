import { createHash } from 'node:crypto';
import t from 'tap';
import { SnapshotError } from '../../../src/testing/errors.js';
import { readSnapshot, writeSnapshot } from '../../../src/testing/snapshot-file.js';
import type { StoreState } from '../../../src/testing/store-state.js';

const NOW = '2026-01-01T00:00:00Z';
const KEY = '/registry/configmaps/default/a';
const object = (name: string, more = ''): string =>
  `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"${name}","namespace":"default","uid":"1"}${more}}`;
const stateOf = (values: Readonly<Record<string, string>>): StoreState =>
  new Map(Object.entries(values).map(([key, value]) => [key, { value: Buffer.from(value) }]));

/** A file whose first line is right, whatever its lines are. */
function file(lines: readonly string[], head: object = {}): Buffer {
  const body = Buffer.from(lines.map(line => `${line}\n`).join(''));
  const sha256 = createHash('sha256').update(body).digest('hex');
  const first = {
    format: 'kubette-snapshot',
    version: 1,
    takenAt: NOW,
    objects: lines.length,
    bytes: body.length,
    sha256,
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify({ ...first, ...head })}\n`), body]);
}
const line = (key: string, value: string): string => `{"key":${JSON.stringify(key)},"value":${value}}`;

t.test('what was written is read, to the byte, and in order', async t => {
  const values = { '/registry/configmaps/default/b': object('b', ',"data":{"n":"1.0"}'), [KEY]: object('a') };
  const back = readSnapshot(writeSnapshot(stateOf(values), NOW));
  t.same(
    [...back].map(([key, { value }]) => [key, Buffer.from(value).toString()]),
    Object.entries(values).sort(),
  );
  t.same([...readSnapshot(writeSnapshot(new Map(), NOW))], []);
});

t.test('what is no snapshot, damaged or made to harm is refused, and it is said why', async t => {
  const good = file([line(KEY, object('a'))]);
  const cases: { name: string; file: Buffer; expect: RegExp }[] = [
    { name: 'nothing', file: Buffer.alloc(0), expect: /no snapshot/ },
    { name: 'something else', file: Buffer.from('PK\x03\x04\n'), expect: /no snapshot/ },
    { name: 'a first line without end', file: Buffer.alloc(10_000, '{'), expect: /no snapshot/ },
    { name: 'another version', file: file([], { version: 2 }), expect: /of version 2, only 1/ },
    { name: 'no sizes', file: file([], { bytes: 'x' }), expect: /how much there is/ },
    { name: 'cut off', file: good.subarray(0, -1), expect: /cut off/ },
    { name: 'more behind it', file: Buffer.concat([good, Buffer.from('x')]), expect: /or there is more/ },
    {
      name: 'changed',
      file: Buffer.from(good.toString().replace('ConfigMap', 'ConfigMop')),
      expect: /checksum is another one/,
    },
    {
      name: 'more objects than it says',
      file: file([line(KEY, object('a'))], { objects: 0 }),
      expect: /says 0 objects, and there are 1/,
    },
    { name: 'more than may be', file: file([], { objects: 1e9 }), expect: /1000000000 objects are more than/ },
    { name: 'no JSON', file: file(['x']), expect: /line 2: it is no JSON object/ },
    { name: 'no object', file: file(['null']), expect: /line 2: it is no JSON object/ },
    { name: 'no key', file: file(['{"value":{}}']), expect: /line 2: it has no key/ },
    {
      name: 'a key said twice',
      file: file([`{"key":"/x","key":${JSON.stringify(KEY)},"value":${object('a')}}`]),
      expect: /not a key and a value/,
    },
    {
      name: 'a value said twice',
      file: file([`{"key":${JSON.stringify(KEY)},"value":1,"value":${object('a')}}`]),
      expect: /not a key and a value/,
    },
    {
      name: 'nested too deep',
      file: file([line(KEY, '['.repeat(5_000) + ']'.repeat(5_000))]),
      expect: /nested too deep/,
    },
    { name: 'a key elsewhere', file: file([line('/etc/passwd', object('passwd'))]), expect: /is no key of an object/ },
    { name: 'another name', file: file([line(KEY, object('b'))]), expect: /holds an object called "default\/b"/ },
    { name: 'a list', file: file([line(KEY, '[]')]), expect: /holds no object/ },
    { name: 'no kind', file: file([line(KEY, '{"metadata":{}}')]), expect: /without apiVersion and kind/ },
    {
      name: 'twice the same',
      file: file([line(KEY, object('a')), line(KEY, object('a'))]),
      expect: /line 3: .* out of order/,
    },
  ];
  for (const { name, file: bytes, expect } of cases)
    t.throws(() => readSnapshot(bytes), { name: SnapshotError.name, message: expect }, name);
  const limits = { bytes: 1000, objects: 10, objectBytes: 10 };
  t.throws(() => readSnapshot(good, limits), /an object takes more than 10 bytes/);
  t.throws(() => readSnapshot(Buffer.alloc(1001), limits), /1001 bytes are more than 1000/);
});
