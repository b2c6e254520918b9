import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import * as packet from 'dns-packet';
import t, { type Test } from 'tap';
import { createCache, MAX_ENTRIES } from '../../../src/dns/cache.js';
import { createForward, type Forward } from '../../../src/dns/forward.js';
import { decodeQuery, type Query } from '../../../src/dns/message.js';
import { type Answer, emptyAnswer, RCODE, type ResourceRecord } from '../../../src/dns/records.js';
import { readUpstreams } from '../../../src/cluster/upstreams.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { seededRandom } from '../../../src/machinery/random.js';

type Reply = (query: packet.Packet) => Buffer | undefined;

/** A name server on loopback over UDP and TCP that says what `reply` does. */
async function startUpstream(t: Test, reply: Reply): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const answer = (transport: string, message: Buffer): Buffer | undefined => {
    const query = packet.decode(message);
    asked.push(`${transport} ${query.questions?.[0]?.name ?? ''} ${query.questions?.[0]?.type ?? ''}`);
    return reply(query);
  };
  const udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    const response = answer('udp', message);
    if (response !== undefined) udp.send(response, from.port, from.address);
  });
  await new Promise<void>(done => udp.bind(0, '127.0.0.1', done));
  const { port } = udp.address();
  const tcp = createServer(socket => {
    socket.on('error', () => socket.destroy());
    socket.once('data', chunk => {
      const response = answer('tcp', chunk.subarray(2)) ?? Buffer.alloc(0);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(response.length);
      // In pieces, as TCP may deliver it.
      for (const byte of length) socket.write(Buffer.from([byte]));
      socket.end(response);
    });
  });
  await new Promise<void>((done, failed) => tcp.once('error', failed).listen(port, '127.0.0.1', done));
  t.teardown(() => {
    udp.close();
    tcp.close();
  });
  t.equal((tcp.address() as AddressInfo).port, port);
  return { port, asked };
}

const query = (name: string, extra: Partial<packet.Packet> = {}): Query =>
  decodeQuery(
    packet.encode({
      type: 'query',
      id: 7,
      flags: packet.RECURSION_DESIRED,
      questions: [{ name, type: 'A' }],
      ...extra,
    }),
  );
const respond = ({ id, questions }: packet.Packet, extra: Partial<packet.Packet> = {}): Buffer =>
  packet.encode({ type: 'response', id: id ?? 0, questions: questions ?? [], ...extra });
const address = (name: string, data: string): packet.Answer => ({ type: 'A', name, ttl: 60, data });

t.test('upstream answers', async t => {
  const rows: readonly { readonly name: string; readonly reply: Reply; readonly expect: object }[] = [
    {
      name: 'records of all kinds',
      reply: q =>
        respond(q, {
          flags: packet.RECURSION_AVAILABLE,
          answers: [
            { type: 'CNAME', name: 'x.test', ttl: 60, data: 'y.x.test' },
            address('y.x.test', '192.0.2.1'),
            { type: 'AAAA', name: 'y.x.test', ttl: 60, data: '2001:db8::1' },
            { type: 'MX', name: 'x.test', ttl: 60, data: { preference: 10, exchange: 'mail.x.test' } },
            { type: 'SRV', name: 'x.test', ttl: 60, data: { priority: 1, weight: 2, port: 3, target: 'y.x.test' } },
            { type: 'TXT', name: 'x.test', ttl: 60, data: ['a'] },
          ],
        }),
      expect: {
        rcode: RCODE.NOERROR,
        recursive: true,
        authoritative: false,
        answers: [
          { type: 'CNAME', name: 'x.test', target: 'y.x.test' },
          { type: 'A', name: 'y.x.test', address: '192.0.2.1' },
          { type: 'AAAA', address: '2001:db8::1' },
          { type: 'MX', preference: 10, target: 'mail.x.test' },
          { type: 'SRV', priority: 1, weight: 2, port: 3, target: 'y.x.test' },
          { type: 'OTHER', number: 16, data: Buffer.from('\x01a') },
        ],
      },
    },
    { name: 'a refusal', reply: q => respond(q, { flags: 5 }), expect: { rcode: RCODE.REFUSED } },
    {
      name: 'an answer to another question',
      reply: q => respond({ ...q, questions: [{ name: 'z.test', type: 'A' }] }),
      expect: { rcode: RCODE.FORMERR },
    },
    { name: 'noise', reply: q => respond(q).subarray(0, 14), expect: { rcode: RCODE.SERVFAIL } },
    {
      name: 'a count of records that are not there',
      reply: q => (m => (m.writeUInt16BE(9, 6), m))(respond(q)),
      expect: { rcode: RCODE.SERVFAIL },
    },
    {
      name: 'more than was asked for counts as cut',
      reply: q => respond(q, { answers: Array.from({ length: 60 }, (_, i) => address('x.test', `192.0.2.${i}`)) }),
      expect: { rcode: RCODE.NOERROR, truncated: true, answers: [] },
    },
  ];
  for (const { name, reply, expect } of rows) {
    const { port } = await startUpstream(t, reply);
    const upstreams = [{ address: '127.0.0.1', port }];
    const forward = createForward({ upstreams, clock: realClock, random: seededRandom(1) });
    t.match(await forward.ask(query('x.test'), 'udp'), expect, name);
  }
});

t.test('over TCP what came over TCP, with nobody else heard', async t => {
  const long = Array.from({ length: 60 }, (_, i) => address('x.test', `192.0.2.${i}`));
  const { port, asked } = await startUpstream(t, q => respond(q, { answers: long }));
  const upstreams = [{ address: '127.0.0.1', port }];
  const forward = createForward({ upstreams, clock: realClock, random: seededRandom(1) });
  t.equal((await forward.ask(query('X.test'), 'tcp')).answers.length, 60);
  t.same(asked, ['tcp X.test A'], 'the case of the question is kept');
});

t.test('the next server is asked when one is silent or gone', async t => {
  const silent = await startUpstream(t, () => undefined);
  const good = await startUpstream(t, q => respond(q, { answers: [address('x.test', '192.0.2.1')] }));
  const clock = new FakeClock();
  const forward = createForward({
    upstreams: [silent, good].map(({ port }) => ({ address: '127.0.0.1', port })),
    clock,
    random: { ...seededRandom(1), number: () => 0 },
  });
  const answer = forward.ask(query('x.test'), 'udp');
  while (silent.asked.length === 0) await new Promise(resolve => setImmediate(resolve));
  clock.step(2_000);
  t.equal((await answer).answers.length, 1);
  const alone = createForward({
    upstreams: [{ address: '127.0.0.1', port: silent.port }],
    clock,
    random: seededRandom(1),
  });
  const failed = alone.ask(query('y.test'), 'udp');
  while (silent.asked.length === 1) await new Promise(resolve => setImmediate(resolve));
  clock.step(2_000);
  t.equal((await failed).rcode, RCODE.SERVFAIL);
});

const record = (ttl: number): ResourceRecord => ({ type: 'A', name: 'x.test', ttl, address: '192.0.2.1' });
const soa = (ttl: number): ResourceRecord => ({
  ...{ type: 'SOA', name: 'test', ttl, primary: 'a', mailbox: 'b' },
  ...{ serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
});

t.test('the cache', async t => {
  const found: Answer = { ...emptyAnswer(RCODE.NOERROR), answers: [record(300)] };
  const missing: Answer = { ...emptyAnswer(RCODE.NXDOMAIN), authority: [soa(900)] };
  const rows: readonly { readonly name: string; readonly answer: Answer; readonly seconds: number }[] = [
    { name: 'an answer, 30 seconds at most', answer: found, seconds: 30 },
    { name: 'its own time, if that is shorter', answer: { ...found, answers: [record(12)] }, seconds: 12 },
    { name: 'but 5 seconds at least', answer: { ...found, answers: [record(1)] }, seconds: 5 },
    { name: 'that there is no such name', answer: missing, seconds: 30 },
    { name: 'that there is no such data', answer: { ...missing, rcode: RCODE.NOERROR }, seconds: 30 },
    { name: 'a failure', answer: emptyAnswer(RCODE.SERVFAIL), seconds: 5 },
    { name: 'no answer that was cut', answer: { ...found, truncated: true }, seconds: 0 },
    { name: 'no refusal', answer: emptyAnswer(RCODE.REFUSED), seconds: 0 },
    { name: 'no missing name without an SOA record', answer: emptyAnswer(RCODE.NXDOMAIN), seconds: 0 },
  ];
  for (const { name, answer, seconds } of rows) {
    const clock = new FakeClock();
    let asked = 0;
    const cache = createCache({ ask: async () => (asked++, answer) }, clock);
    await cache.ask(query('x.test'), 'udp');
    if (seconds > 0) {
      clock.step(seconds * 1000 - 1);
      const kept = await cache.ask(query('X.TEST'), 'udp');
      t.equal(asked, 1, `${name}: kept`);
      t.equal(kept.authoritative, true);
      t.ok(
        [...kept.answers, ...kept.authority].every(({ ttl }) => ttl === 1),
        `${name}: its time runs down`,
      );
      clock.step(1);
    }
    await cache.ask(query('x.test'), 'udp');
    t.equal(asked, 2, `${name}: asked again`);
  }
});

t.test('the cache is bounded, and tells apart who wants what', async t => {
  let asked = 0;
  const answer: Answer = { ...emptyAnswer(RCODE.NOERROR), authenticData: true, answers: [record(300)] };
  const forward: Forward = { ask: async () => (asked++, answer) };
  const sizes: number[] = [];
  const cache = createCache(forward, new FakeClock(), {
    looked: () => undefined,
    kept: (_kind, entries) => void sizes.push(entries),
  });
  const opt: packet.Answer = {
    ...{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0 },
    ...{ flags: packet.DNSSEC_OK, flag_do: true, options: [] },
  };
  const plain = await cache.ask(query('x.test'), 'udp');
  t.equal(plain.authenticData, false, 'who did not ask is not told that it is authenticated');
  const secure = await cache.ask(query('x.test', { additionals: [opt] }), 'udp');
  t.equal(secure.authenticData, true);
  t.equal(asked, 2, 'an answer with signatures is another');
  for (let i = 0; i < MAX_ENTRIES + 10; i++) await cache.ask({ ...query('x.test'), name: `n${i}.test` }, 'udp');
  t.equal(Math.max(...sizes), MAX_ENTRIES);
});

t.test('--forward', async t => {
  const rows: readonly (readonly [text: string, expect: readonly string[] | undefined])[] = [
    ['', []],
    ['1.1.1.1', ['1.1.1.1 53']],
    ['1.1.1.1,9.9.9.9:5353,[fd00::1]:54,fd00::2', ['1.1.1.1 53', '9.9.9.9 5353', 'fd00::1 54', 'fd00::2 53']],
    ['1.1.1.1:0', undefined],
    ['1.1.1.1:x', undefined],
    ['1.1.1.1,', undefined],
    ['example.com', undefined],
    ['[1.1.1.1]:53', undefined],
  ];
  for (const [text, expect] of rows) {
    const upstreams = await readUpstreams(text);
    t.same(
      upstreams?.map(({ address: ip, port }) => `${ip} ${port}`),
      expect,
      text,
    );
  }
  const file = `${t.testdir({ 'resolv.conf': '# x\nnameserver 10.0.0.2\nsearch a\nnameserver fd00::3\n' })}/resolv.conf`;
  t.match(await readUpstreams(file), [{ address: '10.0.0.2' }, { address: 'fd00::3' }]);
});
