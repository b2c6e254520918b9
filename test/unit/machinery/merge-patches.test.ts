import t from 'tap';
import { deepFreeze } from '../../../src/machinery/json-equal.js';
import { applyMergePatch, checkMergePatch } from '../../../src/machinery/merge-patch.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { applyStrategicMergePatch } from '../../../src/machinery/strategic-merge.js';
import type { StructType } from '../../../src/machinery/schema.js';
import { loadApi } from '../../../src/api/load.js';
import { codeOf } from '../../support/patches.js';

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
