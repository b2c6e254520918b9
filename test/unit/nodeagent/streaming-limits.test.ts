import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { constants, deflateSync } from 'node:zlib';
import t from 'tap';
import { WebSocket } from 'ws';
import { realClock } from '../../../src/machinery/clock.js';
import type { createPipe } from '../../../src/containers/io.js';
import { createStreamingServer } from '../../../src/nodeagent/streaming/serve.js';
import { HEADER_DICTIONARY } from '../../../src/nodeagent/streaming/spdy/dictionary.js';
import { createFrameReader, createHeaderReader, dataFrame } from '../../../src/nodeagent/streaming/spdy/frames.js';
import type { StreamingBackend } from '../../../src/nodeagent/streaming/types.js';
import { until } from '../../support/until.js';

const MIB = 1 << 20;

/** A Pod that reads nothing until it is told to. */
let podRead = 0;
let podReads = false;
let podGoesOn: () => void = () => undefined;
const newPod = (): Duplex =>
  new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      podRead += chunk.length;
      if (podReads) done();
      else podGoesOn = done;
    },
  });
let pod = newPod();
/** What a program reads from; nobody does. */
let stdinRead = 0;
let release: () => void = () => undefined;
const backend: StreamingBackend = {
  async exec(_target, command, streams, signal) {
    const gone = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
    if (command[0] === 'slow') {
      await new Promise<void>(resolve => (release = resolve));
      for (let chunk = await streams.stdin?.read(); chunk !== undefined; chunk = await streams.stdin?.read())
        stdinRead += chunk.length;
    } else if (command[0] === 'closes') {
      (streams.stdin as ReturnType<typeof createPipe> | undefined)?.closeRead();
      await gone;
    } else await gone;
    return 0;
  },
  attach: (_target, _streams, signal) => new Promise(resolve => signal.addEventListener('abort', () => resolve())),
  connect: () => Promise.resolve((pod = newPod())),
};
const serve = createStreamingServer({ backend, clock: realClock });
const sockets = new Set<Duplex>();
const server = createServer();
server.on('upgrade', (request, socket, head) => {
  sockets.add(socket);
  serve(request, socket, head);
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
t.teardown(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const exec = (command: string): WebSocket =>
  new WebSocket(`ws://127.0.0.1:${port}/exec/ns/pod/c?input=1&output=1&command=${command}`, ['v5.channel.k8s.io']);
const message = (bytes: number, channel = 0): Buffer => Buffer.alloc(bytes + 1, channel);

t.test('a WebSocket message has a limit, on every kind of stream', async t => {
  const forward = `ws://127.0.0.1:${port}/portForward/ns/pod?ports=80`;
  const open: Record<string, () => WebSocket> = {
    exec: () => exec('hang'),
    attach: () => new WebSocket(`ws://127.0.0.1:${port}/attach/ns/pod/c?input=1`, ['v4.channel.k8s.io']),
    'port-forward channels': () => new WebSocket(forward, ['v4.channel.k8s.io']),
    'no protocol': () => exec('hang'),
  };
  for (const [name, make] of Object.entries(open)) {
    const socket = make();
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send(message(5 * MIB));
    const [code] = (await once(socket, 'close')) as [number];
    t.equal(code, 1009, name);
  }
});

t.test('input that a program does not read stays with the client', async t => {
  const socket = exec('slow');
  await once(socket, 'open');
  const all = 64;
  let sent = 0;
  for (let i = 0; i < all; i++) socket.send(message(MIB - 1), () => sent++);
  await until('some has been taken', () => sent > 0);
  await new Promise(resolve => setImmediate(resolve));
  const waiting = socket.bufferedAmount;
  t.ok(waiting > 32 * MIB, `${waiting} bytes wait at the client`);
  release();
  await until('all has been read', () => stdinRead === all * (MIB - 1));
  socket.terminate();
});

t.test('input after the program has closed its own is dropped, and the agent lives', async t => {
  const socket = exec('closes');
  await once(socket, 'open');
  for (let i = 0; i < 5; i++) socket.send(message(1000));
  socket.send(Buffer.of(255, 0));
  let answered = false;
  socket.ping();
  socket.once('pong', () => (answered = true));
  await until('it still answers', () => answered);
  t.equal(socket.readyState, WebSocket.OPEN);
  socket.terminate();
});

t.test('a forwarded port is read no faster than the Pod reads', async t => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/portForward/ns/pod?ports=80`, ['v4.channel.k8s.io']);
  await once(socket, 'open');
  for (let i = 0; i < 64; i++) socket.send(message(MIB - 1));
  await until('some has been taken', () => podRead > 0);
  await new Promise(resolve => setImmediate(resolve));
  t.ok(podRead + pod.writableLength < 4 * MIB, 'little is kept');
  t.ok(socket.bufferedAmount > 32 * MIB, 'most waits at the client');
  podReads = true;
  podGoesOn();
  await until('all came through', () => podRead === 64 * (MIB - 1));
  socket.terminate();
});

async function spdy(): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    'GET /portForward/ns/pod HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n',
  );
  await once(socket, 'data');
  socket.resume();
  return socket;
}
const control = (type: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(0x8003_0000 + type);
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
};
const synStream = (id: number, block: Buffer): Buffer => {
  const head = Buffer.alloc(10);
  head.writeUInt32BE(id);
  return control(1, Buffer.concat([head, block]));
};
const packed = (text: Buffer): Buffer =>
  deflateSync(text, { dictionary: HEADER_DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH });

t.test('a SPDY client that asks for too much loses its connection', async t => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(0xffff_ffff);
  const rows: { name: string; bytes: Buffer }[] = [
    { name: 'a data frame of 16 MB', bytes: Buffer.from('00000001' + '00ffffff', 'hex') },
    { name: 'a control frame of 1 MB', bytes: Buffer.from('80030001' + '00100000', 'hex') },
    { name: 'headers that inflate to 10 MB', bytes: synStream(1, packed(Buffer.alloc(10 * MIB))) },
    { name: 'four billion headers', bytes: synStream(1, packed(length)) },
    { name: 'headers that are no zlib', bytes: synStream(1, Buffer.from('not compressed')) },
    {
      name: 'a stream twice',
      bytes: Buffer.concat([synStream(1, packed(Buffer.alloc(4))), synStream(1, Buffer.alloc(0))]),
    },
    { name: 'another version', bytes: Buffer.from('8002000100000000', 'hex') },
  ];
  for (const { name, bytes } of rows) {
    const socket = await spdy();
    socket.write(bytes);
    await once(socket, 'close');
    t.pass(name);
  }
});

t.test('pings that nobody reads the answers of are not answered', async t => {
  const socket = await spdy();
  socket.pause();
  const ping = control(6, Buffer.alloc(4));
  const many = Buffer.alloc(ping.length * 4096).fill(ping);
  let sent = 0;
  for (let i = 0; i < 1024; i++) socket.write(many, () => sent++);
  const server = [...sockets].at(-1) as Duplex;
  const stopped = (): boolean => server.writableNeedDrain && server.readableLength >= server.readableHighWaterMark;
  await until('all were taken, or no more are', () => sent === 1024 || stopped());
  const kept = [...sockets].map(s => s.writableLength).reduce((a, b) => a + b, 0);
  t.ok(kept < 2 * MIB, `${kept} bytes of answers are kept`);
  t.ok(socket.writableLength > 0, 'the rest waits at the client');
  socket.destroy();
});

t.test('frames cut into single bytes', async t => {
  const read = createFrameReader();
  const whole = Buffer.concat([dataFrame(1, Buffer.alloc(1000, 1), false), dataFrame(3, Buffer.from('abc'), true)]);
  const frames = [...whole].flatMap(byte => read(Buffer.of(byte)));
  t.strictSame(frames, createFrameReader()(whole));
  t.equal(frames.length, 2);
});

t.test('a header block is read whole, also one as long as allowed', async t => {
  const reader = createHeaderReader();
  const word = (n: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(n);
    return bytes;
  };
  const value = 'x'.repeat(16_000);
  const block = packed(Buffer.concat([word(1), word(1), Buffer.from('A'), word(value.length), Buffer.from(value)]));
  t.equal((await reader.read(block)).get('a'), value);
  reader.close();
  await t.rejects(reader.read(block), { message: 'the connection is closed' });
});
