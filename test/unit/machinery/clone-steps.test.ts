import t from 'tap';
import { cloneSteps } from '../../../src/machinery/clone-steps.js';
import { cloneJson, deepFreeze } from '../../../src/machinery/json-equal.js';
import { atOnce } from '../../../src/machinery/steps.js';

t.test('a copy in steps is the copy made at once, in the order of its members', t => {
  const values: unknown[] = [
    null,
    'text',
    {},
    [],
    [[], {}, null, [1, [2, { a: 1 }]]],
    { b: { d: [{ z: 1, y: {} }], c: null }, a: undefined, 10: 'x', 2: 'y' },
    JSON.parse('{"__proto__":{"a":[1]},"b":1}'),
  ];
  for (const value of values) {
    const copy = atOnce(cloneSteps(deepFreeze(value)));
    t.same(copy, cloneJson(value));
    t.equal(JSON.stringify(copy), JSON.stringify(value));
    if (typeof value === 'object' && value !== null) t.notOk(Object.isFrozen(copy));
  }
  t.end();
});

t.test('a long one rests', t => {
  const steps = cloneSteps({ a: Array.from({ length: 5000 }, () => ({})) });
  let rests = 0;
  while (steps.next().done !== true) rests++;
  t.equal(rests, 5);
  t.end();
});
