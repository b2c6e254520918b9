import t from 'tap';
import { FakeClock, realClock } from '../../../../src/machinery/clock.js';
import type { NetStream } from '../../../../src/containers/network/types.js';
import { encodeMessage, FRAME, GREETING, LinkError } from '../../../../src/nodeagent/network/link/frames.js';
import { MAX_WINDOW } from '../../../../src/nodeagent/network/link/link-stream.js';
import { createPeerLinks } from '../../../../src/nodeagent/network/link/peer-links.js';
import { MAX_STREAMS } from '../../../../src/nodeagent/network/peer-link.js';
import { peerReceiver } from '../../../../src/nodeagent/network/peer-receiver.js';
import { flow, frame, linkPair, peerServer, rawPeer, takesAll } from './link-pair.js';
import { until } from '../../../support/until.js';

const packet = { flow, ttl: 7, trace: false, timeoutMs: 1000 };
const OPEN = encodeMessage(packet);
const HELLO = frame(FRAME.hello, 0, GREETING);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const data = (stream: number, length: number): Buffer => frame(FRAME.data, stream, Buffer.alloc(length, 'x'));

t.test('a peer that does not keep to the protocol is told why, and its link ends', async t => {
  const rows: { name: string; bytes: readonly Buffer[]; verdicts?: number; expect: RegExp }[] = [
    { name: 'another protocol', bytes: [Buffer.from('GET / HTTP/1.1\r\n\r\n')], expect: /not a pod network peer/ },
    {
      name: 'bytes that are no text',
      bytes: [Buffer.from('\0\xff\xfe12345', 'latin1')],
      expect: /not a pod network peer/,
    },
    { name: 'a packet before the greeting', bytes: [frame(FRAME.open, 1, OPEN)], expect: /not a pod network peer/ },
    { name: 'another version', bytes: [frame(FRAME.hello, 0, 'kubette pod network 9')], expect: /another version/ },
    { name: 'a type that there is not', bytes: [HELLO, frame(99, 1)], expect: /no frames of type 99/ },
    { name: 'type 0', bytes: [HELLO, frame(0, 1)], expect: /no frames of type 0/ },
    {
      name: 'a frame that is too long, by its header alone',
      bytes: [HELLO, Buffer.from('04ffffff00000001', 'hex')],
      expect: /16777215 bytes, more than 65536/,
    },
    { name: 'a long packet', bytes: [HELLO, Buffer.from('0201ffff00000001', 'hex')], expect: /more than 73728/ },
    { name: 'a stream without number', bytes: [HELLO, frame(FRAME.open, 0, OPEN)], expect: /of stream 0/ },
    { name: 'a greeting of a stream', bytes: [frame(FRAME.hello, 3, GREETING)], expect: /of stream 3/ },
    {
      name: 'deep JSON',
      bytes: [HELLO, frame(FRAME.open, 1, Buffer.concat([u32(60_000), Buffer.alloc(60_000, '[')]))],
      expect: /not JSON/,
    },
    {
      name: 'a message that ends too soon',
      bytes: [HELLO, frame(FRAME.open, 1, u32(9))],
      expect: /shorter than it says/,
    },
    {
      name: 'a malformed packet',
      bytes: [HELLO, frame(FRAME.open, 1, encodeMessage({ flow: null }))],
      expect: /malformed packet/,
    },
    {
      name: 'a stream number used again',
      bytes: [HELLO, frame(FRAME.open, 5, OPEN), frame(FRAME.open, 5, OPEN)],
      expect: /stream 5 is opened again/,
    },
    {
      name: 'an older stream number',
      bytes: [HELLO, frame(FRAME.open, 5, OPEN), frame(FRAME.open, 4, OPEN)],
      expect: /stream 4 is opened again/,
    },
    { name: 'data of a stream that nobody opened', bytes: [HELLO, data(7, 1)], expect: /nobody has opened stream 7/ },
    {
      name: 'data before the verdict',
      bytes: [HELLO, frame(FRAME.open, 1, OPEN), data(1, 1)],
      expect: /before its verdict/,
    },
    { name: 'a verdict from who dials', bytes: [HELLO, frame(FRAME.verdict, 1, OPEN)], expect: /only who is dialled/ },
    {
      name: 'more than the window',
      bytes: [HELLO, frame(FRAME.open, 1, OPEN)],
      verdicts: 1,
      expect: /stream 1 sends more than its window/,
    },
  ];
  for (const { name, bytes, verdicts = 0, expect } of rows) {
    const { at, ends } = await peerServer(
      t,
      takesAll(() => undefined),
    );
    const peer = rawPeer(t, at.port);
    for (const piece of bytes) peer.socket.write(piece);
    if (verdicts > 0) {
      await until(`${name}: opened`, () => peer.received().some(({ type }) => type === FRAME.verdict));
      for (let sent = 0; sent <= 2 * MAX_WINDOW; sent += 32 * 1024) peer.socket.write(data(1, 32 * 1024));
    }
    await until(`${name}: told`, () => peer.goodbye() !== undefined);
    t.match(peer.goodbye(), expect, name);
    peer.socket.end();
    await until(`${name}: ended`, () => peer.isGone());
    t.ok(ends[0] instanceof LinkError, `${name}: by its name`);
  }
});

t.test('frames may come in any pieces', async t => {
  const { at } = await peerServer(
    t,
    takesAll(stream => void stream.pipe(stream)),
  );
  const peer = rawPeer(t, at.port);
  for (const byte of Buffer.concat([HELLO, frame(FRAME.open, 1, OPEN)])) {
    peer.socket.write(Buffer.of(byte));
    await new Promise(resolve => setImmediate(resolve));
  }
  await until('the verdict', () => peer.received().some(({ type }) => type === FRAME.verdict));
  for (const byte of Buffer.concat([data(1, 3), frame(FRAME.end, 1)])) peer.socket.write(Buffer.of(byte));
  await until('the end', () => peer.received().some(({ type }) => type === FRAME.end));
  const said = peer.received().filter(({ type }) => type === FRAME.data);
  t.equal(Buffer.concat(said.map(({ payload }) => payload)).toString(), 'xxx');
  peer.socket.write(Buffer.concat([data(1, 3), frame(FRAME.window, 1, u32(5)), frame(FRAME.reset, 1)]));
  peer.socket.write(frame(FRAME.ping, 0));
  await until('what comes late for a stream that is over is nothing', () =>
    peer.received().some(({ type }) => type === FRAME.pong),
  );
  t.notOk(peer.isGone());
});

t.test('who allows more than anybody keeps', async t => {
  const { at } = await peerServer(
    t,
    takesAll(stream => void stream.resume()),
  );
  const peer = rawPeer(t, at.port);
  peer.socket.write(Buffer.concat([HELLO, frame(FRAME.open, 1, OPEN)]));
  await until('the verdict', () => peer.received().some(({ type }) => type === FRAME.verdict));
  peer.socket.write(frame(FRAME.window, 1, u32(MAX_WINDOW)));
  await until('told', () => peer.goodbye() !== undefined);
  t.match(peer.goodbye(), /has a window of more than/);
});

t.test('who says nothing, or half a greeting, is hung up on', async t => {
  const clock = new FakeClock();
  const { at, sockets } = await peerServer(
    t,
    takesAll(() => undefined),
    clock,
  );
  const [silent, slow] = [rawPeer(t, at.port), rawPeer(t, at.port)];
  slow.socket.write(HELLO.subarray(0, 11));
  await until('both are there', () => sockets.length === 2);
  clock.step(10_000);
  await until('both are gone', () => silent.isGone() && slow.isGone());
  t.match(silent.goodbye(), /nobody has said who they are/);
});

t.test('a node’s streams have an end, and are free again', async t => {
  const { at, sockets } = await peerServer(t, {
    ...takesAll(() => undefined),
    acceptTcp: () => new Promise(() => undefined),
  });
  const peer = rawPeer(t, at.port);
  peer.socket.write(HELLO);
  for (let id = 1; id <= MAX_STREAMS + 1; id++) peer.socket.write(frame(FRAME.open, id, OPEN));
  const verdicts = (): string[] =>
    peer.received().flatMap(({ type, payload }) => (type === FRAME.verdict ? [payload.toString('utf8', 4)] : []));
  await until('one is too many', () => verdicts().length === 1);
  t.match(verdicts()[0], /ECONNREFUSED.*too many connections between nodes/);
  peer.socket.write(
    Buffer.concat([frame(FRAME.reset, 9), frame(FRAME.open, MAX_STREAMS + 2, OPEN), frame(FRAME.ping, 0)]),
  );
  await until('all is read', () => peer.received().some(({ type }) => type === FRAME.pong));
  t.equal(verdicts().length, 1, 'in the place of one that was given up');
  t.equal(sockets.length, 1);
});

t.test('who asks and does not listen is not listened to', async t => {
  const answer = Buffer.alloc(60_000);
  const { at, sockets } = await peerServer(t, { ...takesAll(() => undefined), acceptUdp: async () => answer });
  const peer = rawPeer(t, at.port);
  peer.socket.pause();
  peer.socket.write(HELLO);
  const ask = encodeMessage({ ...packet, flow: { ...flow, proto: 'udp' } });
  let id = 0;
  const more = (): void => {
    while (id < 20_000 && peer.socket.write(frame(FRAME.open, ++id, ask)));
  };
  peer.socket.on('drain', more);
  more();
  await until('it is paused', () => sockets[0]?.isPaused() === true);
  const kept = sockets[0]?.writableLength ?? 0;
  t.ok(kept < 64 * 1024 * 1024, `${kept} bytes of answers wait, of ${20_000 * answer.length}`);
  peer.socket.resume();
  await until('it goes on when they are taken', () => sockets[0]?.isPaused() === false);
});

t.test('a lost link breaks its connections, and the next one dials anew', async t => {
  const accepted: NetStream[] = [];
  const { far, sockets } = await linkPair(t, stream => void accepted.push(stream));
  const stream = await far.acceptTcp(flow, {});
  const errors: unknown[] = [];
  stream.on('error', error => errors.push(error));
  sockets[0]?.destroy();
  await until('both ends are broken', () => stream.destroyed && accepted[0]?.destroyed === true);
  t.match(errors, [{ code: 'ECONNRESET', detail: 'the link between the nodes is lost' }]);
  const next = await far.acceptTcp(flow, {});
  t.equal(sockets.length, 2);
  next.destroy();
});

t.test('a packet on a link that is found to be lost goes on another', async t => {
  const { far, sockets } = await linkPair(t, () => undefined);
  (await far.acceptTcp(flow, {})).destroy();
  sockets[0]?.pause();
  const opened = far.acceptTcp({ ...flow, srcPort: 4001 }, {});
  sockets[0]?.resetAndDestroy();
  (await opened).destroy();
  t.equal(sockets.length, 2);
});

t.test('a link that is silent is doubted: the next packet goes on another', async t => {
  const clock = new FakeClock();
  const { far, sockets } = await linkPair(t, () => undefined, clock);
  const old = await far.acceptTcp(flow, {});
  sockets[0]?.pause();
  const waiting = far.acceptTcp({ ...flow, srcPort: 4001 }, { timeoutMs: 3000 });
  const given = t.rejects(waiting, { code: 'ETIMEDOUT' });
  clock.step(3000);
  await given;
  const next = await far.acceptTcp({ ...flow, srcPort: 4002 }, { timeoutMs: 3000 });
  t.equal(sockets.length, 2);
  t.notOk(old.destroyed, 'what the old one carries stays');
  next.destroy();
});

t.test('who gives up a packet takes it back', async t => {
  const aborted: unknown[] = [];
  let waiting = 0;
  const { at } = await peerServer(t, {
    ...takesAll(() => undefined),
    acceptTcp: (_flow, { signal }) =>
      new Promise((_, reject) => {
        waiting++;
        signal?.addEventListener('abort', () => {
          aborted.push(signal.reason);
          reject(signal.reason as Error);
        });
      }),
  });
  const links = createPeerLinks(realClock);
  t.teardown(() => links.close());
  const asking = new AbortController();
  const failed = peerReceiver(at, links).acceptTcp(flow, { signal: asking.signal });
  const rejected = t.rejects(failed, { message: 'enough' });
  await until('it is there', () => waiting === 1);
  asking.abort(new Error('enough'));
  await rejected;
  await until('the other node is told', () => aborted.length === 1);
  t.match(aborted, [{ code: 'ECONNRESET' }]);
});
