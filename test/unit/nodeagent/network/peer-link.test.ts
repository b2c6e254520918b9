import t from 'tap';
import { NetworkError } from '../../../../src/containers/network/errors.js';
import type { NetStream } from '../../../../src/containers/network/types.js';
import { MAX_STREAMS } from '../../../../src/nodeagent/network/peer-link.js';
import { flow, JOINED, linkPair } from './link-pair.js';
import { until } from '../../../support/until.js';

const echo = (stream: NetStream): void => void stream.pipe(stream);

async function textOf(stream: NetStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

t.test('many connections go over one link', async t => {
  const { far, sockets } = await linkPair(t, echo);
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const stream = await far.acceptTcp({ ...flow, srcPort: 5000 + i }, {});
      stream.end(`hello ${i}`);
      return textOf(stream);
    }),
  );
  t.same(
    answers,
    Array.from({ length: 50 }, (_, i) => `hello ${i}`),
  );
  t.equal(sockets.length, 1, 'one TCP connection for all of them');
  t.equal(
    (await far.acceptUdp({ ...flow, proto: 'udp' }, Buffer.from('\0\xff', 'latin1'), {}))?.toString('hex'),
    '00ff',
  );
  t.equal(
    await far.acceptUdp({ ...flow, proto: 'udp' }, Buffer.alloc(0), {}),
    undefined,
    'a datagram without an answer',
  );
  await t.rejects(far.acceptTcp({ ...flow, dstPort: 1 }, {}), { code: 'ECONNREFUSED', detail: 'nobody listens' });
});

t.test('large streams arrive whole, both ways at once', async t => {
  const { far } = await linkPair(t, echo);
  const size = 20 * 1024 * 1024;
  const sent = Buffer.alloc(size, 'abcdefghijklmnopq');
  const stream = await far.acceptTcp(flow, {});
  for (let at = 0; at < size; at += 1_000_003) stream.write(sent.subarray(at, at + 1_000_003));
  stream.end();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  t.ok(Buffer.concat(parts).equals(sent));
});

t.test('a reader that does not read holds up its own stream only, and a bounded part of memory', async t => {
  const servers: NetStream[] = [];
  const { far } = await linkPair(t, stream => void servers.push(stream));
  const slow = await far.acceptTcp(flow, {});
  const piece = Buffer.alloc(64 * 1024);
  let taken = 0;
  const write = (): void => void slow.write(piece, error => error ?? ((taken += piece.length), write()));
  write();
  const other = await far.acceptTcp({ ...flow, srcPort: 4001 }, {});
  const [deaf, quick] = servers;
  if (deaf === undefined || quick === undefined) throw new Error('two connections');
  for (let i = 0; i < 20; i++) {
    other.write(`line ${i}\n`);
    await until('the other stream goes on', () => quick.read() !== null);
  }
  const kept = deaf.readableLength;
  t.ok(taken < 512 * 1024, `${taken} bytes were taken from the writer`);
  t.ok(kept <= 128 * 1024, `${kept} bytes wait for the reader`);
  const before = taken;
  deaf.resume();
  await until('a reader that begins gets what waits, and more', () => taken > before + 4 * 1024 * 1024);
  slow.destroy();
});

t.test('whether a listener is here or further on, it is given the same', async t => {
  const rows = [
    { name: "the link is the listener's end", dstPort: 80 },
    { name: 'a pair of streams goes on from the link', dstPort: JOINED },
  ];
  for (const { name, dstPort } of rows)
    await t.test(name, async t => {
      const servers: NetStream[] = [];
      const { far, peers } = await linkPair(t, stream => {
        servers.push(stream);
        // Before anybody can have told the other node that there is a connection.
        stream.write('welcome ');
        echo(stream);
      });
      const stream = await far.acceptTcp({ ...flow, dstPort }, {});
      stream.end('and goodbye');
      t.equal(await textOf(stream), 'welcome and goodbye');
      const [server] = servers;
      t.match(server, {
        localAddress: flow.dst,
        localPort: dstPort,
        remoteAddress: flow.src,
        remotePort: flow.srcPort,
      });
      const reset = await far.acceptTcp({ ...flow, dstPort }, {});
      reset.destroy(new NetworkError('ECONNRESET'));
      await until('the listener sees the reset', () => servers[1]?.errored !== null && servers[1]?.destroyed === true);
      const left = await far.acceptTcp({ ...flow, dstPort }, {});
      servers[2]?.destroy(new NetworkError('ECONNRESET'));
      await until('the client sees that the listener resets it', () => left.destroyed);
      t.match(left.errored, { code: 'ECONNRESET' });
      t.ok(peers.server.listening);
    });
});

t.test('a listener that fails with its connection fails this connection only', async t => {
  const { far } = await linkPair(t, stream => {
    if (stream.remotePort === 6000) throw new NetworkError('ECONNRESET', 'a fault of the program');
    echo(stream);
  });
  const broken = await far.acceptTcp({ ...flow, srcPort: 6000 }, {});
  await until('it is reset', () => broken.destroyed);
  const sound = await far.acceptTcp({ ...flow, srcPort: 6001 }, {});
  sound.end('on');
  t.equal(await textOf(sound), 'on');
});

t.test('a connection whose client is gone takes no place of the link, although its listener reads nothing', async t => {
  const { far, sockets } = await linkPair(t, () => undefined);
  for (let i = 0; i < MAX_STREAMS + 10; i++) (await far.acceptTcp({ ...flow, srcPort: i }, {})).destroy();
  const stream = await far.acceptTcp(flow, {});
  t.notOk(stream.destroyed);
  stream.destroy();
  t.equal(sockets.length, 1);
});

t.test('an answer comes before the end of who asked and said no more', async t => {
  const { far } = await linkPair(t, stream => {
    const answer = async (): Promise<void> => {
      for (let turns = 0; turns < 20; turns++) await Promise.resolve();
      if (!stream.writableEnded) stream.end('answer');
    };
    stream.on('data', () => void answer());
    stream.on('end', () => stream.end());
  });
  const stream = await far.acceptTcp(flow, {});
  stream.end('question');
  t.equal(await textOf(stream), 'answer');
});
