import { Writable } from 'node:stream';
import t from 'tap';
import { drained } from '../../../src/machinery/drained.js';

/** A sink that takes a write when it is told to. */
function slowSink(): { sink: Writable; take: () => void; listeners: () => number } {
  let taken = (): void => undefined;
  const sink = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void (taken = done) });
  return {
    sink,
    take: () => taken(),
    listeners: () => sink.listenerCount('drain') + sink.listenerCount('close') + sink.listenerCount('error'),
  };
}

t.test('a stream that is slow again and again has no listener of the waits before', async t => {
  const { sink, take, listeners } = slowSink();
  const before = listeners();
  for (let i = 0; i < 50; i++) {
    t.equal(sink.write('x'), false);
    const room = drained(sink);
    setImmediate(take);
    await room;
    t.equal(listeners(), before);
  }
});

t.test('nobody waits for a stream with room, one that is gone, or for longer than its signal', async t => {
  const { sink, listeners } = slowSink();
  const before = listeners();
  await drained(sink);
  sink.write('x');
  const ending = new AbortController();
  const waiting = drained(sink, ending.signal);
  ending.abort();
  await waiting;
  await drained(sink, ending.signal);
  t.equal(listeners(), before);
  const last = drained(sink);
  sink.destroy();
  await last;
  await drained(sink);
});
