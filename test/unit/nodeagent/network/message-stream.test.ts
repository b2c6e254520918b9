import t from 'tap';
import { messageStream } from '../../../../src/nodeagent/network/link/message-stream.js';
import { MAX_MESSAGE, streamPair } from '../../../../src/nodeagent/network/stream-pair.js';
import type { NetStream } from '../../../../src/containers/network/types.js';
import { flow, JOINED, linkPair } from './link-pair.js';
import { until } from '../../../support/until.js';

const ends = [
  { address: '10.244.1.2', port: 4000 },
  { address: '10.244.2.2', port: 132 },
] as const;

const message = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
};
const inBytes = (bytes: Buffer): Buffer[] => Array.from(bytes, byte => Buffer.of(byte));

t.test('bytes become messages, or break the association', async t => {
  const long = 'x'.repeat(MAX_MESSAGE);
  const rows: { name: string; bytes: readonly Buffer[]; expect: readonly string[]; broken?: RegExp }[] = [
    { name: 'nothing', bytes: [], expect: [] },
    { name: 'one', bytes: [message('one')], expect: ['one'] },
    { name: 'many at once', bytes: [Buffer.concat(['a', 'bc', 'd'].map(message))], expect: ['a', 'bc', 'd'] },
    { name: 'byte by byte', bytes: inBytes(Buffer.concat(['one', 'two'].map(message))), expect: ['one', 'two'] },
    {
      name: 'cut in the middle',
      bytes: [Buffer.concat([message('one'), message('two').subarray(0, 5)]), Buffer.from('wo')],
      expect: ['one', 'two'],
    },
    { name: 'the longest', bytes: [message(long), message('x')], expect: [long, 'x'] },
    {
      name: 'a longer one, by its length alone',
      bytes: [Buffer.from('00010001', 'hex')],
      expect: [],
      broken: /65537 bytes/,
    },
    {
      name: 'the largest length there is',
      bytes: [Buffer.from('ffffffff', 'hex')],
      expect: [],
      broken: /4294967295 bytes/,
    },
    { name: 'an empty one', bytes: [message('a'), message('')], expect: ['a'], broken: /of 0 bytes/ },
    { name: 'an end within one', bytes: [message('one').subarray(0, 6)], expect: [], broken: /within a message/ },
    { name: 'an end within a length', bytes: [Buffer.from([0, 0])], expect: [], broken: /within a message/ },
  ];
  for (const { name, bytes, expect, broken } of rows)
    await t.test(name, async t => {
      const { client, server } = streamPair(...ends);
      const association = messageStream(server);
      const got: string[] = [];
      association.on('data', (chunk: Buffer) => got.push(chunk.toString()));
      for (const piece of bytes) client.write(piece);
      client.end();
      await until('it is over', () => association.destroyed && server.destroyed);
      t.same(got, expect);
      if (broken === undefined) t.equal(association.errored, null);
      else t.match(association.errored?.message, broken);
    });
});

t.test('messages go over a link as they are, and an end is the end of both', async t => {
  const rows = [
    { name: 'to a listener at the other end', dstPort: 132 },
    { name: 'to one further on', dstPort: JOINED },
  ];
  for (const { name, dstPort } of rows)
    await t.test(name, async t => {
      const servers: NetStream[] = [];
      const { far } = await linkPair(t, stream => {
        servers.push(stream);
        stream.on('data', (chunk: Buffer) => stream.write(Buffer.from(`${chunk.length}`)));
      });
      const client = await far.acceptSctp({ ...flow, proto: 'sctp', dstPort }, {});
      const got: string[] = [];
      client.on('data', (chunk: Buffer) => got.push(chunk.toString()));
      const sizes = [1, 2, 60_000, MAX_MESSAGE, 3];
      for (const size of sizes) client.write(Buffer.alloc(size, 'x'));
      await until('all are answered', () => got.length === sizes.length);
      t.same(got, sizes.map(String));
      client.end();
      await until('both are over', () => client.destroyed && servers[0]?.destroyed === true);
      t.equal(servers[0]?.errored, null);
      const other = await far.acceptSctp({ ...flow, proto: 'sctp', dstPort, srcPort: 4001 }, {});
      other.write(Buffer.alloc(MAX_MESSAGE + 1));
      await until('what is too long is refused', () => other.destroyed);
      t.match(other.errored, { code: 'EMSGSIZE' });
    });
});

t.test('a reader that does not read keeps a bounded number of messages', async t => {
  const { client } = streamPair(ends[0], ends[1], ends[0], ends[1], 'sctp');
  let taken = 0;
  const write = (): void => void client.write(Buffer.alloc(10), error => error ?? (taken++, write()));
  write();
  for (let i = 0; i < 100; i++) await new Promise(resolve => setImmediate(resolve));
  t.ok(taken <= 8, `${taken} messages were taken`);
  client.destroy();
});
