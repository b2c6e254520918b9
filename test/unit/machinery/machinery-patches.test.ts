import t from 'tap';
import { deepFreeze } from '../../../src/machinery/json-equal.js';
import { applyJsonPatch } from '../../../src/machinery/json-patch/apply.js';
import { decodeJsonPatch, MAX_JSON_PATCH_OPERATIONS } from '../../../src/machinery/json-patch/decode.js';
import { applyMergePatch, checkMergePatch } from '../../../src/machinery/merge-patch.js';
import { isStatusError } from '../../../src/machinery/status.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { applyStrategicMergePatch } from '../../../src/machinery/strategic-merge.js';
import type { StructType } from '../../../src/machinery/schema.js';
import { loadApi } from '../../../src/api/load.js';

const codeOf = (run: () => unknown): { code: number; message: string } | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return { code: error.code, message: error.message };
  }
};

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

t.test('merge patch', t => {
  const document = deepFreeze({ a: { b: 1, c: [1] }, d: 'x' });
  const cases: [patch: unknown, expect: unknown][] = [
    [{}, document],
    [{ a: { b: null, e: { f: null, g: 1 } } }, { a: { c: [1], e: { g: 1 } }, d: 'x' }],
    [{ a: { c: [null, { h: null }] } }, { a: { b: 1, c: [null, {}] }, d: 'x' }],
    [{ z: [{ h: null }] }, { ...document, z: [{}] }],
    [{ d: { e: 1 } }, { ...document, d: { e: 1 } }],
    [{ a: null }, { d: 'x' }],
  ];
  for (const [patch, expect] of cases) t.same(atOnce(applyMergePatch(document, patch)), expect, JSON.stringify(patch));
  t.same(
    codeOf(() => checkMergePatch([], true)),
    {
      code: 400,
      message: 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    },
  );
  t.same(
    codeOf(() => checkMergePatch(null, true)),
    { code: 400, message: 'Invalid JSON Patch' },
  );
  t.equal(
    codeOf(() => checkMergePatch({}, true)),
    undefined,
  );
  t.end();
});

const api = loadApi();
const typeOf = (name: string): StructType => {
  const type = api.type(name);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
};

t.test('strategic merge patch', t => {
  const spec = typeOf('core.v1.PodSpec');
  const meta = typeOf('meta.v1.ObjectMeta');
  const deployment = typeOf('apps.v1.DeploymentSpec');
  const ab = { containers: [{ name: 'a', image: '1' }, { name: 'b' }] };
  const cases: [name: string, struct: StructType, object: object, patch: object, expect: object][] = [
    [
      'merge by key',
      spec,
      ab,
      { containers: [{ name: 'b', image: '2' }] },
      {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '2' },
        ],
      },
    ],
    ['add an item', spec, ab, { containers: [{ name: 'c' }] }, { containers: [{ name: 'c' }, ...ab.containers] }],
    ['delete an item', spec, ab, { containers: [{ $patch: 'delete', name: 'a' }] }, { containers: [{ name: 'b' }] }],
    [
      'replace the list',
      spec,
      ab,
      { containers: [{ name: 'c' }, { $patch: 'replace' }] },
      { containers: [{ name: 'c' }] },
    ],
    [
      'order',
      spec,
      ab,
      {
        $setElementOrder: undefined,
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }],
        containers: [{ name: 'c' }],
      },
      { containers: [{ name: 'c' }, { name: 'b' }, { name: 'a', image: '1' }] },
    ],
    [
      'items that the order does not name keep their place',
      spec,
      { containers: [{ name: 'x' }, { name: 'a' }, { name: 'y' }] },
      { '$setElementOrder/containers': [{ name: 'n' }, { name: 'a' }], containers: [{ name: 'n' }] },
      { containers: [{ name: 'n' }, { name: 'x' }, { name: 'a' }, { name: 'y' }] },
    ],
    ['null removes', spec, ab, { containers: null }, {}],
    [
      'atomic lists are replaced',
      spec,
      { tolerations: [{ key: 'a' }] },
      { tolerations: [{ key: 'b' }] },
      { tolerations: [{ key: 'b' }] },
    ],
    [
      'maps are merged',
      meta,
      { labels: { a: '1', b: '2' } },
      { labels: { a: null, c: '3' } },
      { labels: { b: '2', c: '3' } },
    ],
    [
      'a map is replaced',
      meta,
      { labels: { a: '1' } },
      { labels: { $patch: 'replace', c: '3' } },
      { labels: { c: '3' } },
    ],
    ['a map is emptied', meta, { labels: { a: '1' } }, { labels: { $patch: 'delete' } }, { labels: {} }],
    [
      'primitives are merged',
      meta,
      { finalizers: ['a/a', 'b/b'] },
      { finalizers: ['c/c', 'a/a'] },
      { finalizers: ['c/c', 'a/a', 'b/b'] },
    ],
    [
      'primitives are deleted',
      meta,
      { finalizers: ['a/a', 'b/b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a/a', 'z/z'] },
      { finalizers: ['b/b'] },
    ],
    [
      'primitives are ordered',
      meta,
      { finalizers: ['a/a', 'b/b'] },
      { '$setElementOrder/finalizers': ['b/b', 'a/a'] },
      { finalizers: ['b/b', 'a/a'] },
    ],
    [
      'retained keys',
      deployment,
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      { strategy: { type: 'Recreate' } },
    ],
    [
      'directives in new values go',
      meta,
      {},
      { labels: { $patch: 'merge', a: 'b' }, annotations: { a: null, b: '1' } },
      { annotations: { b: '1' } },
    ],
  ];
  for (const [name, struct, object, patch, expect] of cases) {
    const given = deepFreeze(
      JSON.parse(JSON.stringify({ object, patch })) as Record<'object' | 'patch', Record<string, unknown>>,
    );
    t.same(atOnce(applyStrategicMergePatch(given.object, given.patch, struct)).merged, expect, name);
  }
  const errors: [name: string, patch: object, code: number, message: string][] = [
    ['no key', { containers: [{ image: 'x' }] }, 500, 'map: map[image:x] does not contain declared merge key: name'],
    [
      'unknown directive',
      { containers: [{ $patch: 'foo', name: 'a' }] },
      500,
      'unknown patch type: foo in map: map[$patch:foo name:a]',
    ],
    [
      'mixed list',
      { containers: ['x'] },
      500,
      'list element types are not identical: [[map[image:1 name:a] map[name:b]] [x]]',
    ],
    [
      'order',
      { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'z' }] },
      500,
      "The order in patch list:\n[map[name:z]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
    ],
    [
      'order of nothing',
      { '$setElementOrder/foo': [] },
      500,
      'unable to find api field in struct PodSpec for the json field "foo"',
    ],
    ['retainKeys', { $retainKeys: ['a'], containers: [] }, 400, 'invalid patch format of retainKeys'],
    ['deletion list', { $deleteFromPrimitiveList: [] }, 400, 'invalid patch format of primitive list'],
    ['order list', { $setElementOrder: [] }, 400, 'invalid patch format of setElementOrder list'],
  ];
  for (const [name, patch, code, message] of errors) {
    t.same(
      codeOf(() => atOnce(applyStrategicMergePatch(ab, patch as Record<string, unknown>, spec))),
      { code, message },
      name,
    );
  }
  t.end();
});
