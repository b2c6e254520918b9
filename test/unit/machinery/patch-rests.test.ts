import t from 'tap';
import { applyJsonPatch } from '../../../src/machinery/json-patch/apply.js';
import { applyMergePatch } from '../../../src/machinery/merge-patch.js';
import type { Steps } from '../../../src/machinery/steps.js';
import { applyStrategicMergePatch } from '../../../src/machinery/strategic-merge.js';
import { loadApi } from '../../../src/api/load.js';

/** What comes of it, and how often it rested. */
function counted<T>(steps: Steps<T>): { value: T; rests: number } {
  for (let rests = 0; ; rests++) {
    const step = steps.next();
    if (step.done === true) return { value: step.value, rests };
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const data = (count: number, value: string | null): object => ({
  data: Object.fromEntries(numbers(count).map(i => [`k${i}`, value])),
});
const LONG = 5000;

t.test('a patch of many members rests among them, whatever its type', t => {
  const type = loadApi().type('core.v1.ConfigMap');
  const pod = loadApi().type('core.v1.PodSpec');
  if (type === undefined || pod === undefined) throw new Error('no such type');
  const strategic = (object: object, patch: object, struct = type) =>
    counted(applyStrategicMergePatch({ ...object }, { ...patch }, struct));

  const merged = counted(applyMergePatch(data(LONG, 'a'), data(LONG, 'b')));
  t.same(merged.value, data(LONG, 'b'));
  t.ok(merged.rests >= 10, 'merge');
  const cleared = counted(applyMergePatch(data(LONG, 'a'), data(LONG, null)));
  t.same(cleared.value, { data: {} });
  t.ok(cleared.rests >= 10, 'merge of nulls');

  const replaced = strategic(data(LONG, 'a'), data(LONG, 'b'));
  t.same(replaced.value.merged, data(LONG, 'b'));
  t.ok(replaced.rests >= 10, 'strategic');

  const names = (from: readonly number[]): object[] => from.map(i => ({ name: `c${i}` }));
  const backwards = numbers(LONG).reverse();
  const ordered = strategic(
    { containers: names(numbers(LONG)) },
    { containers: [], '$setElementOrder/containers': names(backwards) },
    pod,
  );
  t.same(ordered.value.merged, { containers: names(backwards) });
  t.ok(ordered.rests >= 30, 'an order');
  const ignored = strategic(
    { metadata: { finalizers: numbers(LONG).map(i => `f${i}`) } },
    { metadata: { finalizers: backwards.map(i => `f${i}`) } },
  );
  t.same(ignored.value.merged, { metadata: { finalizers: backwards.map(i => `f${i}`) } });
  t.ok(ignored.rests >= 50, 'a list of texts');

  const operations = numbers(100).map(i => ({ op: 'add', path: '/l/0', value: i }));
  const inserted = counted(applyJsonPatch({ l: [] }, operations));
  t.same(inserted.value, { l: numbers(100).reverse() });
  t.ok(inserted.rests >= 100, 'JSON patch, at every operation');
  t.ok(strategic(data(3, 'a'), data(3, 'b')).rests < 5, 'a small one does not');
  t.end();
});
