import t from 'tap';
import { equalSteps } from '../../../src/machinery/equal-steps.js';
import { deepFreeze, jsonEqual } from '../../../src/machinery/json-equal.js';
import { createFieldManager } from '../../../src/machinery/managed-fields/field-manager.js';
import { newPace } from '../../../src/machinery/pace.js';
import { isStatusError } from '../../../src/machinery/status.js';
import { atOnce, type Steps } from '../../../src/machinery/steps.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { loadApi } from '../../../src/api/load.js';

const type = loadApi().type('core.v1.ConfigMap');
if (type === undefined) throw new Error('no ConfigMap');
const manager = createFieldManager(type, { group: '', version: 'v1', kind: 'ConfigMap', resetFields: {} });

/** What comes of it, and how often it rested. */
function counted<T>(steps: Steps<T>): { value: T | undefined; error: unknown; rests: number } {
  for (let rests = 0; ; rests++) {
    try {
      const step = steps.next();
      if (step.done === true) return { value: step.value, error: undefined, rests };
    } catch (error) {
      return { value: undefined, error, rests };
    }
  }
}

const object = (count: number, value: string, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'n', ...metadata },
  data: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value])),
});
const owners = (count: number, uid: (i: number) => string): object => ({
  ownerReferences: Array.from({ length: count }, (_, i) => ({ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: uid(i) })),
});
const stored = (o: KubeObject): KubeObject => deepFreeze({ ...o, metadata: { ...o.metadata, uid: 'u' } });
const write = (name: string) => ({ manager: name, subresource: '', nowMs: 0 });
const apply = (live: KubeObject | undefined, config: KubeObject, name: string, force = false) =>
  counted(manager.apply(live, config, { ...write(name), force }));

t.test('who owns what of a long map is found out with rests in between', t => {
  const LONG = 5000;
  const fresh = apply(undefined, object(LONG, 'a'), 'one');
  t.ok(fresh.rests >= 40, 'apply of a new object');
  const live = stored(fresh.value ?? object(0, ''));
  const again = apply(live, object(LONG, 'a'), 'one');
  t.same(again.value?.metadata.managedFields, live.metadata.managedFields);
  t.ok(again.rests >= 60, 'apply of the same');

  const fewer = apply(live, object(1, 'a'), 'one');
  t.same(fewer.value?.['data'], { k0: 'a' });
  t.ok(fewer.rests >= 150, 'apply that gives up');

  const refused = apply(live, object(LONG, 'b'), 'two');
  if (!isStatusError(refused.error)) throw new Error('no conflict');
  t.equal(refused.error.status.details?.causes?.length, LONG);
  t.match(refused.error.message, /^Apply failed with 5000 conflicts: conflicts with "one":\n- .data.k0\n- .data.k1\n/);
  t.ok(refused.rests >= 80, 'conflicts');
  const forced = apply(live, object(LONG, 'b'), 'two', true);
  t.same(
    forced.value?.metadata.managedFields?.map(entry => entry.manager),
    ['two'],
  );

  const changed = object(LONG, 'c', { uid: 'u', managedFields: live.metadata.managedFields });
  const updated = counted(manager.update(live, changed, write('three')));
  t.same(
    changed.metadata.managedFields?.map(entry => entry.manager),
    ['three'],
  );
  t.ok(updated.rests >= 60, 'update');
  t.ok(apply(undefined, object(3, 'a'), 'one').rests <= 8, 'a small one only between its steps');
  t.end();
});

t.test('who owns what of a long list is found out with rests in between', t => {
  const config = { ...object(1, 'a'), metadata: { name: 'c', namespace: 'n', ...owners(5000, i => `u${i}`) } };
  const fresh = apply(undefined, config, 'one');
  t.ok(fresh.rests >= 100, 'apply');
  const same = { ...config, metadata: { ...config.metadata, ...owners(5000, () => 'u') } };
  const refused = apply(undefined, same, 'one');
  if (!isStatusError(refused.error)) throw new Error('no problem found');
  const lines = refused.error.message.split('\n');
  t.equal(lines.length, 5000);
  t.equal(lines[1], '  .metadata.ownerReferences: duplicate entries for key [uid="u"]');
  t.ok(refused.rests >= 20, 'what is given twice');

  const created: KubeObject = { ...same, metadata: { ...same.metadata } };
  const repeated = counted(manager.update(undefined, created, write('one')));
  t.same(created.metadata.managedFields?.[0]?.fieldsV1, {
    'f:data': { '.': {}, 'f:k0': {} },
    'f:metadata': { 'f:ownerReferences': { '.': {}, 'k:{"uid":"u"}': {} } },
  });
  t.ok(repeated.rests >= 10, 'repeated items');
  t.end();
});

t.test('values compared in steps are the same when they are at once', t => {
  const values: unknown[] = [
    null,
    0,
    '',
    [],
    {},
    [[]],
    [{}],
    { a: undefined },
    { a: 1, b: [1, { c: 2 }] },
    { b: [1, { c: 2 }], a: 1 },
    { a: 1, b: [1, { c: 3 }] },
    { a: 1, b: [{ c: 2 }, 1] },
    { a: null },
  ];
  for (const a of values)
    for (const b of values)
      t.equal(atOnce(equalSteps(a, b, newPace())), jsonEqual(a, b), `${JSON.stringify(a)} ${JSON.stringify(b)}`);
  t.end();
});
