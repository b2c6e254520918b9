import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkScore } from '../support/score.js';

t.test('a score that is not what was found fails once, and is written anew', async t => {
  const folder = t.testdir({ 'a.json': '{"kept":1,"passed":3}' });
  const outcomes: boolean[] = [];
  const test = { same: (x: unknown, y: unknown) => outcomes.push(JSON.stringify(x) === JSON.stringify(y)) };
  for (const passed of [3, 4, 4]) checkScore(test as unknown as typeof t, 'a', { passed }, folder);
  t.same(outcomes, [true, false, true]);
  t.equal(readFileSync(join(folder, 'a.json'), 'utf8'), '{\n  "kept": 1,\n  "passed": 4\n}\n');
  checkScore(test as unknown as typeof t, 'new', { passed: 1 }, folder);
  t.same(outcomes.at(-1), false, 'one that is not there yet');
});
