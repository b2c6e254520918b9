import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { createFrames, type Frames } from '../../../src/server/watch-stream/frames.js';
import { createRounds } from '../../../src/server/watch-stream/rounds.js';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await turn();
};

t.test('a chunk is made once for all who send the same pieces', async t => {
  const [a, b, c] = ['{"a":1}\n', '{"b":2}\n', 'x'.repeat(20)].map(text => Buffer.from(text));
  const rows: { name: string; pieces: (Buffer | undefined)[]; expect: string }[] = [
    { name: 'one piece', pieces: [a], expect: '8\r\n{"a":1}\n\r\n' },
    { name: 'two', pieces: [a, b], expect: '10\r\n{"a":1}\n{"b":2}\n\r\n' },
    { name: 'the other way round', pieces: [b, a], expect: '10\r\n{"b":2}\n{"a":1}\n\r\n' },
    { name: 'its length is hexadecimal', pieces: [a, c], expect: `1c\r\n{"a":1}\n${'x'.repeat(20)}\r\n` },
  ];
  const frames = createFrames();
  for (const { name, pieces, expect } of rows) {
    const given = pieces.filter(piece => piece !== undefined);
    const chunk = frames.chunk(given);
    t.equal(chunk.toString(), expect, name);
    t.equal(frames.chunk([...given]), chunk, `${name}: the same bytes for the next`);
  }
  t.not(
    createFrames().chunk([a ?? Buffer.alloc(0)]),
    frames.chunk([a ?? Buffer.alloc(0)]),
    'nothing is kept for another round',
  );
});

t.test('who writes is heard in the next round, in order, as often as it joins', async t => {
  const rounds = createRounds(new FakeClock());
  const heard: string[] = [];
  const seen = new Set<Frames>();
  const writer =
    (name: string, again = 0) =>
    (frames: Frames): void => {
      heard.push(name);
      seen.add(frames);
      if (again > 0) rounds.join(writer(name, again - 1));
    };
  rounds.join(writer('a', 1));
  rounds.join(writer('b'));
  t.same(heard, [], 'nothing is written while something is told');
  await until(() => heard.length === 3);
  t.same(heard, ['a', 'b', 'a']);
  t.equal(seen.size, 2, 'who joins while it is heard waits for another round');
  rounds.join(writer('c'));
  await until(() => heard.length === 4);
  t.equal(seen.size, 3, 'and rounds begin again after a rest');
});

t.test('after a round there is a pause that follows what it took', async t => {
  const rows: { name: string; took: number; pause: number }[] = [
    { name: 'no time', took: 0, pause: 0 },
    { name: 'some', took: 20, pause: 10 },
    { name: 'much', took: 5000, pause: 100 },
  ];
  for (const { name, took, pause } of rows) {
    const clock = new FakeClock();
    const rounds = createRounds(clock);
    let written = 0;
    rounds.join(() => {
      clock.step(took);
      written++;
    });
    await until(() => written === 1);
    rounds.join(() => void written++);
    if (pause > 0) {
      await until(() => clock.waiting === 1);
      clock.step(pause - 1);
      await turn();
      t.equal(written, 1, `${name}: not before it is over`);
      clock.step(1);
    }
    await until(() => written === 2);
    t.equal(clock.waiting, 0, `${name}: then it is written`);
  }
});

t.test('what is much does not wait for the end of a pause', async t => {
  const clock = new FakeClock();
  const rounds = createRounds(clock);
  let written = 0;
  rounds.join(() => {
    clock.step(50);
    written++;
  });
  await until(() => written === 1);
  rounds.join(() => void written++);
  await until(() => clock.waiting === 1);
  rounds.hurry();
  await until(() => written === 2);
  t.equal(clock.waiting, 0, 'and its timer is gone');
});

t.test('a long round lets others have a turn, and everybody is heard once', async t => {
  const clock = new FakeClock();
  const rounds = createRounds(clock);
  const heard: number[] = [];
  const turns: number[] = [];
  let now = 0;
  for (let i = 0; i < 100; i++)
    rounds.join(() => {
      clock.step(1);
      heard.push(i);
      turns.push(now);
    });
  while (heard.length < 100) {
    await turn();
    now++;
  }
  t.same(heard, [...Array(100).keys()]);
  const most = Math.max(...[...new Set(turns)].map(at => turns.filter(other => other === at).length));
  t.ok(most < 100 && most > 1, `at most ${most} in a turn`);
});
