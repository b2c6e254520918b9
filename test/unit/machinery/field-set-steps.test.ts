import t from 'tap';
import * as sets from '../../../src/machinery/managed-fields/field-set.js';
import { sortElements, sortElementsSteps } from '../../../src/machinery/managed-fields/path-element.js';
import { newPace } from '../../../src/machinery/pace.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { seededRandom } from '../../../src/machinery/random.js';

type FieldSet = sets.FieldSet;

const next = seededRandom(7).below;
const NAMES = ['f:b', 'f:a', 'k:{"name":"x"}', 'v:"y"', 'i:1'];
const randomPath = (): string[] => Array.from({ length: 1 + next(3) }, () => NAMES[next(NAMES.length)] ?? '');
const randomPaths = (): string[][] => Array.from({ length: next(9) }, randomPath);

/** The paths of a set, told by asking for each that there may be. */
function pathsOf(set: FieldSet, before: readonly string[] = []): string[] {
  return sets.elementsOf(set).flatMap(element => {
    const below = set[element] ?? {};
    const path = [...before, element];
    return [...(sets.isMember(below) ? [path.join(' ')] : []), ...pathsOf(below, path)];
  });
}
const sorted = (paths: Iterable<string>): string[] => [...new Set(paths)].sort();

t.test('sets of fields are sets of paths', t => {
  for (let i = 0; i < 400; i++) {
    const [left, right] = [randomPaths(), randomPaths()];
    const a = sets.setOfPaths(left);
    const b = sets.setOfPaths(right);
    const [x, y] = [sorted(left.map(p => p.join(' '))), sorted(right.map(p => p.join(' ')))];
    const has = new Set(y);
    const under = (path: string): boolean => y.some(p => path === p || path.startsWith(`${p} `));
    const before = JSON.stringify([a, b]);
    const of = (work: ReturnType<typeof sets.difference>): string[] => sorted(pathsOf(atOnce(work)));
    t.same(sorted(pathsOf(a)), x);
    t.same(of(sets.union(a, b, newPace())), sorted([...x, ...y]), 'union');
    t.same(
      of(sets.difference(a, b, newPace())),
      x.filter(p => !has.has(p)),
      'difference',
    );
    t.same(
      of(sets.recursiveDifference(a, b, newPace())),
      x.filter(p => !under(p)),
      'recursive difference',
    );
    t.same(
      of(sets.intersection(a, b, newPace())),
      x.filter(p => has.has(p)),
      'intersection',
    );
    t.equal(
      atOnce(sets.covers(a, b, newPace())),
      y.every(p => x.includes(p)),
      'covers',
    );
    t.same(of(sets.sortSet(a, newPace())), x, 'sorted');
    t.equal(JSON.stringify([a, b]), before, 'neither is changed');
    if (x.every(p => !has.has(p))) t.equal(atOnce(sets.difference(a, b, newPace())), a, 'the same where nothing goes');
  }
  t.end();
});

t.test('a long set is put in order as a short one is', t => {
  const many = (count: number): FieldSet =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`f:${count - i + 10_000}`, { 'f:b': {}, 'f:a': {}, '.': {} }]),
    );
  for (const count of [3, 3000]) {
    const set = atOnce(sets.sortSet({ 'f:data': many(count), 'f:a': {} }, newPace()));
    t.same(Object.keys(set), ['f:a', 'f:data']);
    const data = set['f:data'] ?? {};
    t.same(Object.keys(data), Object.keys(many(count)).reverse());
    t.same(Object.keys(data['f:10001'] ?? {}), ['.', 'f:a', 'f:b']);
    t.equal(atOnce(sets.sortSet(set, newPace())), set, 'kept when it is');
  }
  t.end();
});

t.test('many elements are put in the order of a few', t => {
  const shuffled = (elements: readonly string[]): string[] =>
    elements
      .map(element => ({ element, at: next(1e6) }))
      .sort((a, b) => a.at - b.at)
      .map(({ element }) => element);
  const numbers = Array.from({ length: 700 }, (_, i) => i);
  for (const kinds of [
    [(i: number) => `f:${i}`, (i: number) => `f:k${i}`],
    [(i: number) => `k:{"name":"${i}"}`, (i: number) => `k:{"name":"n${i}"}`],
    [(i: number) => `k:{"name":"n${i}"}`, (i: number) => `k:{"containerPort":${i},"protocol":"TCP"}`],
    [(i: number) => `v:${i}`, (i: number) => `v:"${i}"`, (i: number) => `i:${i}`, (i: number) => `f:${i}`],
  ]) {
    const many = shuffled(kinds.flatMap(kind => numbers.map(kind)));
    const steps = sortElementsSteps([...many], newPace());
    let rests = 0;
    for (;;) {
      const step = steps.next();
      if (step.done !== true) rests++;
      else {
        t.same(step.value, sortElements([...many]));
        break;
      }
    }
    t.ok(rests >= 4);
  }
  t.end();
});
