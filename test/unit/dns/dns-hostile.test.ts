import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import * as packet from 'dns-packet';
import t, { type Test } from 'tap';
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from '../../../src/client/resources.js';
import { decodeQuery, MessageError } from '../../../src/dns/message.js';
import { createResolver } from '../../../src/dns/resolver.js';
import { createDnsServer } from '../../../src/dns/server.js';
import { watchCluster } from '../../../src/dns/state.js';
import { createTcpConnections, MAX_CONNECTIONS, MESSAGE_DEADLINE_MS } from '../../../src/dns/tcp-connections.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { setImmediate as turn } from 'node:timers/promises';
import { until } from '../../support/until.js';

const question = (name: string, id = 1): Buffer =>
  packet.encode({ type: 'query', id, questions: [{ type: 'A', name }] });
const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
};
/** A server whose answers are the questions themselves, over a clock that stands still. */
async function startEcho(t: Test, respond = (message: Buffer): Buffer | undefined => Buffer.from(message)) {
  const clock = new FakeClock();
  const seen: Buffer[] = [];
  const connections = createTcpConnections({
    clock,
    respond(message) {
      seen.push(message);
      return respond(message);
    },
  });
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, socket => {
    accepted.push(socket);
    connections.accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  t.teardown(() => {
    for (const client of clients) client.destroy();
    connections.close();
    server.close();
  });
  const dial = async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    clients.push(socket);
    const client = { socket, received: Buffer.alloc(0), closed: false };
    socket.on('data', chunk => (client.received = Buffer.concat([client.received, chunk])));
    socket.on('close', () => (client.closed = true));
    socket.on('error', () => undefined);
    const before = accepted.length;
    await until('the server accepts', () => accepted.length > before);
    return client;
  };
  return { clock, seen, accepted, dial };
}

t.test('a message in pieces of one byte, and two in one piece', async t => {
  const { seen, dial } = await startEcho(t);
  const client = await dial();
  const message = framed(question('web.shop.svc.cluster.local'));
  for (const byte of message) client.socket.write(Buffer.from([byte]));
  await until('it is answered', () => client.received.length === message.length);
  client.socket.write(Buffer.concat([message, message, message.subarray(0, 5)]));
  await until('both are answered', () => client.received.length === 3 * message.length);
  client.socket.end(message.subarray(5));
  await until('the rest is answered', () => client.received.length === 4 * message.length);
  await until('and the end is answered by an end', () => client.closed);
  t.equal(seen.length, 4);
});

t.test('whoever does not finish a message is hung up on', async t => {
  const rows = [
    { name: 'nothing at all', bytes: Buffer.alloc(0) },
    { name: 'a length and no message', bytes: Buffer.from([255, 255]) },
    { name: 'half a length', bytes: Buffer.from([0]) },
    { name: 'a message that trickles in', bytes: Buffer.concat([Buffer.from([0, 200]), Buffer.alloc(100)]) },
  ];
  for (const { name, bytes } of rows) {
    const { clock, accepted, dial } = await startEcho(t);
    const client = await dial();
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      clock.step(MESSAGE_DEADLINE_MS / (2 * bytes.length));
    }
    await until(name, () => accepted[0]?.bytesRead === bytes.length);
    t.equal(client.closed, false, `${name}: there is time`);
    clock.step(MESSAGE_DEADLINE_MS);
    await until(`${name}: closed`, () => client.closed);
  }
});

t.test('one connection too many costs the one that has waited longest', async t => {
  const { dial } = await startEcho(t);
  const first = await dial();
  const second = await dial();
  first.socket.write(framed(question('a')));
  await until('the first is answered', () => first.received.length > 0);
  for (let i = 2; i < MAX_CONNECTIONS; i++) await dial();
  t.equal(second.closed, false);
  await dial();
  await until('the second is closed', () => second.closed);
  t.equal(first.closed, false, 'it was answered after the second came');
});

t.test('a client that asks and does not read is not kept for, and gets all when it reads', async t => {
  const answer = Buffer.alloc(60_000);
  const { seen, accepted, dial } = await startEcho(t, () => answer);
  const client = await dial();
  client.socket.pause();
  const asked = 400;
  for (let i = 0; i < asked; i++) client.socket.write(framed(question('a', i)));
  await until('it is paused', () => accepted[0]?.isPaused() === true && (accepted[0]?.writableLength ?? 0) > 200_000);
  for (let i = 0; i < 50; i++) await turn();
  t.ok((accepted[0]?.writableLength ?? 0) < 500_000, 'little waits for it');
  t.ok(seen.length < asked, 'its other questions are not looked at');
  client.socket.resume();
  await until('all answers', () => client.received.length === asked * (2 + answer.length));
});

t.test('many questions at once leave others their turn', async t => {
  const { seen, dial } = await startEcho(t);
  const client = await dial();
  const many = Buffer.concat(Array.from({ length: 3000 }, (_, i) => framed(question('a', i))));
  client.socket.write(many);
  let most = 0;
  let before = 0;
  while (client.received.length < many.length) {
    await turn();
    most = Math.max(most, seen.length - before);
    before = seen.length;
  }
  t.ok(most <= 64, `at most ${most} in a turn of the event loop`);
});

t.test('hostile messages end in an error for their sender', async t => {
  const name = (labels: readonly Buffer[]): Buffer =>
    Buffer.concat([...labels.flatMap(label => [Buffer.from([label.length]), label]), Buffer.from([0])]);
  const header = (counts: readonly [number, number, number, number]): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16BE(7, 0);
    counts.forEach((count, i) => bytes.writeUInt16BE(count, 4 + 2 * i));
    return bytes;
  };
  const type = Buffer.from([0, 1, 0, 1]);
  const a63 = Buffer.alloc(63, 97);
  const rows: { name: string; message: Buffer; expect: 'FORMERR' | 'a query' }[] = [
    {
      name: 'a pointer to itself as the name',
      message: Buffer.concat([header([1, 0, 0, 0]), Buffer.from([0xc0, 12]), type]),
      expect: 'FORMERR',
    },
    {
      name: 'a pointer after a label',
      message: Buffer.concat([header([1, 0, 0, 0]), Buffer.from([1, 97, 0xc0, 12]), type]),
      expect: 'FORMERR',
    },
    {
      name: 'a name of 256 bytes',
      message: Buffer.concat([header([1, 0, 0, 0]), name([a63, a63, a63, a63]), type]),
      expect: 'FORMERR',
    },
    {
      name: 'the longest name',
      message: Buffer.concat([header([1, 0, 0, 0]), name([a63, a63, a63, a63.subarray(0, 61)]), type]),
      expect: 'a query',
    },
    {
      name: 'a count of records that are not there',
      message: Buffer.concat([header([1, 65535, 65535, 65535]), name([]), type]),
      expect: 'FORMERR',
    },
    {
      name: 'two questions',
      message: Buffer.concat([header([2, 0, 0, 0]), name([]), type, name([]), type]),
      expect: 'FORMERR',
    },
    {
      name: 'records whose names point at each other',
      message: Buffer.concat([
        header([1, 0, 0, 5000]),
        name([]),
        type,
        ...Array.from({ length: 5000 }, () => Buffer.from([0xc0, 17, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])),
      ]),
      expect: 'FORMERR',
    },
    {
      name: 'bytes that are no text',
      message: Buffer.concat([header([1, 0, 0, 0]), name([Buffer.from([0, 255, 46, 27])]), type]),
      expect: 'a query',
    },
  ];
  for (const { name: what, message, expect } of rows) {
    try {
      decodeQuery(message);
      t.equal('a query', expect, what);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      t.equal('FORMERR', expect, what);
    }
  }
});

t.test('endpoints that are names which lead to more names', async t => {
  const cluster = createFakeCluster();
  cluster.load(NAMESPACES, { metadata: { name: 'shop' } });
  const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
  for (const name of names) {
    cluster.load(SERVICES, {
      metadata: { namespace: 'shop', name },
      spec: { clusterIP: 'None', clusterIPs: ['None'] },
    });
    cluster.load(ENDPOINT_SLICES, {
      metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'FQDN',
      endpoints: names.map(other => ({ addresses: [`${other}.shop.svc.cluster.local`] })),
    });
  }
  const { informers } = cluster.context();
  let lookups = 0;
  const state = watchCluster(informers, realClock);
  const resolve = createResolver({
    state: { ...state, service: (namespace, name) => (lookups++, state.service(namespace, name)) },
    clusterDomain: 'cluster.local',
    self: { namespace: 'kube-system', name: 'kube-dns' },
  });
  const answer = await resolve(decodeQuery(question('s0.shop.svc.cluster.local')), 'udp');
  t.equal(answer.answers.length, 0, 'all of them lead in circles');
  t.ok(lookups <= 64, `${lookups} lookups`);
});

t.test('the server outlives noise', async t => {
  const errors: Error[] = [];
  const { informers } = createFakeCluster().context();
  const server = createDnsServer({ informers, clock: realClock, onError: error => void errors.push(error) });
  const port = await server.listen();
  t.teardown(() => server.close());
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) % below;
  const answers: Buffer[] = [];
  socket.on('message', message => void answers.push(message));
  for (let i = 0; i < 500; i++) {
    const noise = question('web.shop.svc.cluster.local', 2);
    for (let k = random(8); k >= 0; k--) noise[random(noise.length)] = random(256);
    noise.writeUInt16BE(2, 0);
    socket.send(noise.subarray(0, random(noise.length + 1)), port, '127.0.0.1');
    if (i % 50 === 0) await turn();
  }
  await until('a good question is answered', () => {
    socket.send(question('example.com', 99), port, '127.0.0.1');
    return answers.some(answer => answer.readUInt16BE(0) === 99);
  });
  t.same(errors, [], 'no message was a fault of the server');
});
