import t from 'tap';
import type { NetStream } from '../../../../src/containers/network/types.js';
import { flow, linkPair, until } from './link-pair.js';

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
