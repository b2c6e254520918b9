import t from 'tap';
import { atOnce, inTurns, type Steps } from '../../../src/machinery/steps.js';

function* work(done: number[], fails = false): Steps<number> {
  for (let i = 0; i < 3; i++) {
    done.push(i);
    yield;
  }
  if (fails) throw new Error('in the last step');
  return done.length;
}

t.test('steps: nothing before they are run, then all at once or with others in between', async t => {
  const done: number[] = [];
  const steps = work(done);
  t.equal(done.length, 0);
  t.equal(atOnce(steps), 3);
  t.same(done, [0, 1, 2]);

  let between = 0;
  const turns = { isOver: () => true, next: () => Promise.resolve(void between++) };
  t.equal(await inTurns(work([]), turns), 3);
  t.equal(between, 3, 'a turn of its own for each step when the turn is over');
  await t.rejects(inTurns(work([], true), turns), /in the last step/);
  t.throws(() => atOnce(work([], true)), /in the last step/);

  between = 0;
  t.equal(await inTurns(work([]), { ...turns, isOver: () => false }), 3);
  t.equal(between, 0, 'none when it is not');
});
