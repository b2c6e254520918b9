import t from 'tap';
import { cachedObject, pendingObject } from '../../../src/storage/cached-object.js';
import { objectEnd } from '../../../src/storage/object-end.js';
import type { KubeObject } from '../../../src/machinery/types.js';

t.test('where an object ends', t => {
  const rows: { name: string; text: string; from?: number; end: number }[] = [
    { name: 'empty', text: '{}', end: 2 },
    { name: 'what comes behind is not its own', text: '{"a":1},"b":{}}', end: 7 },
    { name: 'objects within', text: '{"a":{"b":{}},"c":[{}]}}', end: 23 },
    { name: 'braces in strings', text: '{"}":"{{"}', end: 10 },
    { name: 'quotes in strings', text: String.raw`{"a\"}":"\\"}`, end: 13 },
    { name: 'from within', text: '{"a":{"b":1}}', from: 5, end: 12 },
    { name: 'letters of several bytes', text: '{"ä":"}"}x', end: 10 },
  ];
  for (const { name, text, from = 0, end } of rows) t.equal(objectEnd(Buffer.from(text), from), end, name);
  for (const text of ['{', '{"', '{"a\\', '{"a":{}'])
    t.throws(() => objectEnd(Buffer.from(text), 0), /has no end/, `${text} has none`);
  t.end();
});

t.test('the metadata of a stored object is cut out of its bytes, with its resourceVersion', t => {
  const objects: KubeObject[] = [
    { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } },
    {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: 'ns', uid: 'u' },
      data: { x: '{"metadata":{' },
    },
    {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a', uid: 'u', annotations: { json: '{"a":"}"}', back: '\\' }, labels: { 'ü/ü': '' } },
      spec: { metadata: {} },
    },
  ];
  const key = { namespace: 'ns', name: 'a' };
  for (const object of objects) {
    const pending = pendingObject(key, structuredClone(object));
    pending.committed(7);
    const expected = { ...object.metadata, resourceVersion: '7' };
    for (const stored of [pending, cachedObject(key, 7, Buffer.from(JSON.stringify(object)))])
      for (const look of ['first', 'second']) t.same(JSON.parse(stored.metadataText()), expected, `${look} look`);
  }
  t.end();
});
