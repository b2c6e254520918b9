import t from 'tap';
import { editDistance, nearest } from '../../../src/machinery/nearest.js';

t.test('how far words are from each other', t => {
  for (const [a, b, expect] of [
    ['', '', 0],
    ['up', 'up', 0],
    ['', 'up', 2],
    ['statsu', 'status', 1],
    ['delte', 'delete', 1],
    ['node', 'nodes', 1],
    ['trace', 'rules', 4],
  ] as const) {
    t.equal(editDistance(a, b), expect, `${a} ${b}`);
    t.equal(editDistance(b, a), expect, `${b} ${a}`);
  }
  t.end();
});

t.test('the word that was meant, if any is near', t => {
  const words = ['up', 'down', 'status', 'delete'];
  t.equal(nearest('statsu', words), 'status');
  t.equal(nearest('dwon', words), 'down');
  t.equal(nearest('kill', words), undefined);
  t.equal(nearest('x'.repeat(100_000), ['x'.repeat(100_000)]), undefined, 'nobody types that');
  t.end();
});
