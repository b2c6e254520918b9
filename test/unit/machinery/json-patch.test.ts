import t from 'tap';
import { deepFreeze } from '../../../src/machinery/json-equal.js';
import { applyJsonPatch } from '../../../src/machinery/json-patch/apply.js';
import { decodeJsonPatch, MAX_JSON_PATCH_OPERATIONS } from '../../../src/machinery/json-patch/decode.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { codeOf } from '../../support/patches.js';

const REJECTED = { code: 422, message: 'the server rejected our request due to an error in our request' };

t.test('JSON patch', t => {
  const document = deepFreeze({ a: { b: 1, 'x/y': 2, 'm~n': 3 }, l: [1, 2, 3], n: null });
  const patch = (operations: unknown): unknown =>
    atOnce(applyJsonPatch(document, decodeJsonPatch(operations, true).operations));
  const works: [name: string, operations: unknown, expect: unknown][] = [
    ['nothing', [], document],
    ['add', [{ op: 'add', path: '/a/c', value: 5 }], { ...document, a: { ...document.a, c: 5 } }],
    [
      'escapes',
      [
        { op: 'remove', path: '/a/x~1y' },
        { op: 'remove', path: '/a/m~0n' },
      ],
      { ...document, a: { b: 1 } },
    ],
    ['append', [{ op: 'add', path: '/l/-', value: 4 }], { ...document, l: [1, 2, 3, 4] }],
    ['insert', [{ op: 'add', path: '/l/1', value: 9 }], { ...document, l: [1, 9, 2, 3] }],
    ['the last by -1', [{ op: 'remove', path: '/l/-1' }], { ...document, l: [1, 2] }],
    ['replace may add', [{ op: 'replace', path: '/z', value: 1 }], { ...document, z: 1 }],
    ['replace all', [{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
    ['move', [{ op: 'move', from: '/l/0', path: '/l/-' }], { ...document, l: [2, 3, 1] }],
    ['copy', [{ op: 'copy', from: '/l', path: '/k' }], { ...document, k: [1, 2, 3] }],
    ['test', [{ op: 'test', path: '/l', value: [1, 2, 3] }], document],
    [
      'test of null and of nothing',
      [
        { op: 'test', path: '/n', value: null },
        { op: 'test', path: '/zz' },
      ],
      document,
    ],
    ['a null', [{ op: 'add', path: '/a', value: null }], { ...document, a: null }],
  ];
  for (const [name, operations, expect] of works) t.same(patch(operations), expect, name);
  const fails: [name: string, operation: unknown][] = [
    ['remove what is not there', { op: 'remove', path: '/zz' }],
    ['index past the end', { op: 'remove', path: '/l/3' }],
    ['index before the start', { op: 'remove', path: '/l/-4' }],
    ['no index', { op: 'add', path: '/l/x', value: 1 }],
    ['below what is not there', { op: 'add', path: '/zz/y', value: 1 }],
    ['below a scalar', { op: 'add', path: '/a/b/c', value: 1 }],
    ['add to the root', { op: 'add', path: '', value: {} }],
    ['root by a scalar', { op: 'replace', path: '', value: 1 }],
    ['unknown operation', { op: 'zip', path: '/a' }],
    ['no path', { op: 'add', value: 1 }],
    ['no from', { op: 'move', path: '/a' }],
    ['test', { op: 'test', path: '/l', value: [1, 2] }],
    ['inherited members', { op: 'remove', path: '/toString' }],
  ];
  for (const [name, operation] of fails)
    t.same(
      codeOf(() => patch([operation])),
      REJECTED,
      name,
    );
  const doubling = [
    { op: 'add', path: '/s', value: 'x'.repeat(1024) },
    ...Array.from({ length: 30 }, () => ({ op: 'copy', from: '', path: '/s' })),
  ];
  t.same(
    codeOf(() => patch(doubling)),
    REJECTED,
  );
  const grow = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/${i}` }));
  t.same(
    codeOf(() => patch(grow)),
    REJECTED,
    'copies may not grow without bound',
  );
  t.end();
});

t.test('what is no JSON patch', t => {
  const decode = (patch: unknown, checked = true) => codeOf(() => decodeJsonPatch(patch, checked));
  t.same(decode({}), {
    code: 400,
    message: 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  });
  t.same(decode({}, false), {
    code: 400,
    message: 'json: cannot unmarshal object into Go value of type jsonpatch.Patch',
  });
  t.same(decode([{ op: 1 }]), {
    code: 400,
    message: 'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
  });
  t.same(decodeJsonPatch([{ op: 'test', foo: 1 }], true).problems, ['json patch unknown field "[0].foo"']);
  t.same(decode(Array.from({ length: MAX_JSON_PATCH_OPERATIONS + 1 }, () => ({}))), {
    code: 413,
    message: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  });
  t.end();
});
