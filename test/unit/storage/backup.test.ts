import t from 'tap';
import { createBackupWriter } from '../../../src/storage/backup/format.js';
import { readBackup, type Part } from '../../../src/storage/backup/read.js';
import type { KeyValue } from '../../../src/storage/kv-store.js';

const kv = (key: string, value: string | Uint8Array, modRevision = 7): KeyValue => ({
  key,
  value: Buffer.from(value),
  createRevision: 3,
  modRevision,
});

const OBJECTS: readonly KeyValue[] = [
  kv('/registry/configmaps/a/"quoted\\', '{"kind":"ConfigMap","data":{"a":"}\\n{"}}'),
  kv('/registry/configmaps/a/ü', '{"kind":"ConfigMap","data":{"a":"ü"}}'),
  kv('/registry/secrets/a/binary', Buffer.from([0x7b, 0x22, 0xff, 0x7d])),
  kv('/registry/secrets/a/encrypted', Buffer.from('k8s:enc:aescbc:v1:key:\0\n\xff', 'latin1')),
  kv('/registry/secrets/a/lines', '{"a":\n1}'),
  kv('/registry/zero', ''),
  kv('compact_rev_key', '12', 9),
];

function written(pages: readonly (readonly KeyValue[])[]): Buffer {
  const writer = createBackupWriter();
  const head = writer.begin({ revision: 9, takenAt: '2026-01-01T00:00:00Z' });
  return Buffer.concat([head, ...pages.map(page => writer.objects(page)), writer.end()]);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = 1 << 20): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of readBackup(pieces(bytes, size))) parts.push(part);
  return parts;
}

t.test('what is written is read, however it is cut into pieces', async t => {
  const bytes = written([OBJECTS.slice(0, 2), [], OBJECTS.slice(2)]);
  for (const size of [1, 7, 100, 1 << 20]) {
    const parts = await read(bytes, size);
    t.match(parts[0], { head: { revision: 9, takenAt: '2026-01-01T00:00:00Z' } });
    t.strictSame(
      parts.flatMap(part => ('object' in part ? [part.object] : [])),
      OBJECTS,
    );
    t.match(parts.at(-1), { tail: { objects: OBJECTS.length } });
  }
});

t.test('every line is JSON that others can read, and most values stand as they are', async t => {
  const lines = written([OBJECTS])
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);
  t.match(lines[0], { format: 'kubette-backup', version: 1, revision: 9 });
  t.match(lines[2], { key: '/registry/configmaps/a/ü', create: 3, mod: 7, value: { data: { a: 'ü' } } });
  t.match(lines[4], { key: '/registry/secrets/a/encrypted', base64: /^[\w+/]+=*$/ });
  t.match(lines.at(-1), { objects: OBJECTS.length, sha256: /^[0-9a-f]{64}$/ });
});

const WHOLE = written([OBJECTS]).toString();
const linesOf = (text: string): string[] => text.split('\n');

const ROWS: readonly { name: string; text: string; expect: RegExp }[] = [
  { name: 'nothing', text: '', expect: /^it is empty$/ },
  { name: 'something else', text: '{"kind":"List"}\n', expect: /^it is no backup of a store$/ },
  { name: 'no text', text: '\0'.repeat(100), expect: /^it is no backup of a store$/ },
  {
    name: 'a newer version',
    text: WHOLE.replace('"version":1', '"version":2'),
    expect: /^it is of version 2, only 1 is known$/,
  },
  { name: 'no revision', text: WHOLE.replace('"revision":9', '"revision":-1'), expect: /does not say its revision/ },
  { name: 'no end', text: `${linesOf(WHOLE).slice(0, 5).join('\n')}\n`, expect: /^it is cut off after line 5$/ },
  { name: 'cut in a line', text: WHOLE.slice(0, 150), expect: /^line 2: it has no value$/ },
  {
    name: 'a line is missing',
    text: linesOf(WHOLE).toSpliced(3, 1).join('\n'),
    expect: /^its last line says 7 objects, and there are 6$/,
  },
  {
    name: 'a byte is another',
    text: WHOLE.replace('"kind":"ConfigMap"', '"kind":"ConfigMop"'),
    expect: /^its checksum is another one/,
  },
  { name: 'more behind it', text: `${WHOLE}{}\n`, expect: /^line 10: something follows its last line$/ },
  {
    name: 'out of order',
    text: written([[...OBJECTS].reverse()]).toString(),
    expect: /^line 3: "\/registry\/zero" is out of order$/,
  },
  { name: 'a revision of later', text: written([[kv('/a', '{}', 10)]]).toString(), expect: /^line 2: its revisions/ },
  { name: 'no object', text: linesOf(WHOLE).with(1, '{"key":"/a"}').join('\n'), expect: /^line 2: it is no object$/ },
  {
    name: 'a key that does not end',
    text: linesOf(WHOLE).with(1, '{"create":1,"mod":1,"key":"abc').join('\n'),
    expect: /^line 2: it has no key$/,
  },
  {
    name: 'a value that is none',
    text: linesOf(WHOLE).with(1, '{"create":1,"mod":1,"key":"/a","other":{}}').join('\n'),
    expect: /^line 2: it has no value$/,
  },
  {
    name: 'a line without end',
    text: `${linesOf(WHOLE)[0] ?? ''}\n${'x'.repeat(17 << 20)}`,
    expect: /^it has a line of more than/,
  },
];

for (const { name, text, expect } of ROWS)
  t.test(`refused: ${name}`, t => t.rejects(read(Buffer.from(text)), { name: 'BackupError', message: expect }));
