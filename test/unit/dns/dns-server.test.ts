import { createSocket } from 'node:dgram';
import * as packet from 'dns-packet';
import t from 'tap';
import { createDnsServer } from '../../../src/dns/server.js';
import { realClock } from '../../../src/machinery/clock.js';
import { fakeInformers, CLUSTER, print, type DecodedFlags, WEB, askUdp, askTcp, question } from '../../support/dns.js';

const opt = (udpPayloadSize: number, ednsVersion = 0): packet.Answer => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion,
  flags: 0,
  flag_do: false,
  options: [],
});

t.test('messages', async t => {
  const server = createDnsServer({ informers: fakeInformers(CLUSTER), clock: realClock });
  const port = await server.listen();
  t.teardown(() => server.close());
  const many = question('many.shop.svc.cluster.local', 'A');
  const decode = (buffer: Buffer): packet.DecodedPacket & DecodedFlags => packet.decode(buffer) as never;

  const short = await askUdp(port, many);
  t.ok(short.length <= 512, 'a datagram holds 512 bytes');
  t.equal(decode(short).flag_tc, true, 'and says that it was cut');
  t.ok((decode(short).answers?.length ?? 0) > 20, 'names are compressed');

  const [whole] = await askTcp(port, many);
  t.equal(whole === undefined ? 0 : decode(whole).answers?.length, 60, 'TCP gives all');

  const wide = decode(await askUdp(port, question('many.shop.svc.cluster.local', 'A', { additionals: [opt(4096)] })));
  t.equal(wide.answers?.length, 60, 'EDNS0 makes room');
  t.same(wide.additionals?.map(print), ['OPT 4096'], 'and is answered with EDNS0');

  const version = await askUdp(port, question(WEB, 'A', { additionals: [opt(4096, 1)] }));
  t.equal(decode(version).answers?.length, 0, 'an unknown EDNS version is refused');
  t.equal((decode(version).additionals?.[0] as { extendedRcode?: number }).extendedRcode, 1, 'with BADVERS');

  const pipelined = await askTcp(port, question(WEB, 'A'), question('none.shop.svc.cluster.local', 'A'));
  t.same(
    pipelined.map(answer => decode(answer).rcode),
    ['NOERROR', 'NXDOMAIN'],
    'several questions in one connection',
  );

  const cases: readonly { name: string; message: Buffer; rcode: string }[] = [
    {
      name: 'no question',
      message: Buffer.from('00070100000000000000000000', 'hex').subarray(0, 12),
      rcode: 'FORMERR',
    },
    { name: 'cut in the name', message: question(WEB, 'A').subarray(0, 20), rcode: 'FORMERR' },
    { name: 'cut in the type', message: question(WEB, 'A').subarray(0, -1), rcode: 'FORMERR' },
    {
      name: 'a label of 200 bytes',
      message: Buffer.concat([question(WEB, 'A').subarray(0, 12), Buffer.from([200]), Buffer.alloc(300)]),
      rcode: 'FORMERR',
    },
    { name: 'another opcode', message: (m => (m.writeUInt16BE(0x2800, 2), m))(question(WEB, 'A')), rcode: 'NOTIMP' },
    {
      name: 'another class, which upstream looks at as little',
      message: (m => (m.writeUInt16BE(3, m.length - 2), m))(question(WEB, 'A')),
      rcode: 'NOERROR',
    },
  ];
  for (const { name, message, rcode } of cases) t.equal(decode(await askUdp(port, message)).rcode, rcode, name);

  // A response and a fragment get no answer; the question after them does.
  const socket = createSocket('udp4');
  const response = question(WEB, 'A');
  response.writeUInt16BE(0x8000, 2);
  const answered = new Promise<Buffer>(done => socket.once('message', done));
  for (const message of [response, Buffer.from([1, 2, 3]), question(WEB, 'A', { id: 99 })])
    socket.send(message, port, '127.0.0.1');
  t.equal(decode(await answered).id, 99, 'what is no query is not answered');
  socket.close();
});

t.test('a busy port', async t => {
  const first = createDnsServer({ informers: fakeInformers({}), clock: realClock });
  const port = await first.listen();
  t.teardown(() => first.close());
  const second = createDnsServer({ informers: fakeInformers({}), clock: realClock, port });
  await t.rejects(second.listen(), { code: 'EADDRINUSE' });
});
