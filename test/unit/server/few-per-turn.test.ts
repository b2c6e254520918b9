import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { fewPerTurn } from '../../../src/server/few-per-turn.js';

t.test('what comes at once is begun a few per turn, in its order', async t => {
  const inTurn = fewPerTurn(3);
  const done: number[] = [];
  for (let i = 0; i < 8; i++) inTurn(() => done.push(i));
  t.same(done, [0, 1, 2], 'the first ones do not wait');
  await turn();
  t.same(done, [0, 1, 2, 3, 4, 5]);
  // Who comes later waits behind those that are there.
  inTurn(() => done.push(8));
  await turn();
  t.same(done, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await turn();
  inTurn(() => done.push(9));
  t.same(done.at(-1), 9, 'at rest nobody waits');
});

t.test('one that fails keeps nobody waiting for ever', async t => {
  const inTurn = fewPerTurn(1);
  const done: string[] = [];
  const problem = new Error('of the second one');
  inTurn(() => done.push('first'));
  inTurn(() => {
    throw problem;
  });
  inTurn(() => done.push('third'));
  const thrown = new Promise(resolve => process.once('uncaughtException', resolve));
  t.equal(await thrown, problem);
  await turn();
  await turn();
  t.same(done, ['first', 'third']);
});
