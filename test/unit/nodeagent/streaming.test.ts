import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { realClock } from '../../../src/machinery/clock.js';
import { byteStreamOf } from '../../../src/nodeagent/streaming/port-forward.js';
import { createStreamingServer } from '../../../src/nodeagent/streaming/serve.js';
import { StreamingError, type CommandStreams, type StreamingBackend } from '../../../src/nodeagent/streaming/types.js';
import { dialSpdy, spdyOver, type ClientStream } from '../../support/spdy-client.js';
import { eventually } from '../../support/up.js';

const log: string[] = [];

/** Commands: cat, fail CODE, hang. */
async function exec(command: readonly string[], streams: CommandStreams, signal: AbortSignal): Promise<number> {
  if (command[0] === 'cat') {
    for (let chunk = await streams.stdin?.read(signal); chunk !== undefined; chunk = await streams.stdin?.read(signal))
      await streams.stdout?.write(chunk);
    return 0;
  }
  if (command[0] === 'fail') {
    await streams.stdout?.write('out\n');
    await streams.stderr?.write('err\n');
    return Number(command[1]);
  }
  if (command[0] !== 'hang') throw new StreamingError(500, `no such program: ${command[0] ?? ''}`);
  return new Promise(resolve => {
    log.push('hanging');
    signal.addEventListener('abort', () => {
      log.push('let go');
      resolve(137);
    });
  });
}

/** Port 80 sends everything back and ends when the client has; 81 says goodbye at once; the others refuse. */
function connect(port: number): Duplex {
  if (port !== 80 && port !== 81)
    throw new StreamingError(500, `failed to connect to localhost:${port} inside namespace`);
  const pod: Duplex = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, done) => {
      pod.push(chunk);
      done();
    },
    final: done => {
      pod.push(null);
      done();
    },
  });
  pod.on('close', () => log.push(`port ${port} closed`));
  if (port === 81) {
    pod.push('bye');
    pod.push(null);
  }
  return pod;
}

const backend: StreamingBackend = {
  exec: (_target, command, streams, signal) => exec(command, streams, signal),
  async attach(target, streams, signal) {
    await streams.stdout?.write(`attached to ${target.pod}/${target.container}\n`);
    await exec(['cat'], streams, signal);
  },
  connect: async (_target, port) => connect(port),
};

const serve = createStreamingServer({ backend, clock: realClock });
const server = createServer((_request, response) => response.end());
server.on('upgrade', (request, socket, head) => {
  if (!serve(request, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
t.teardown(() => {
  server.close();
  server.closeAllConnections();
});

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
const until = (what: string, holds: () => boolean): Promise<boolean> =>
  eventually(what, async () => holds(), Boolean, 10_000);
const failure = (code: number) => ({
  metadata: {},
  status: 'Failure',
  message: `command terminated with non-zero exit code: exit status ${code}`,
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

async function spdyCommand(path: string, protocols: readonly string[], types: readonly string[]) {
  const { head, client } = await dialSpdy(port, path, protocols);
  const streams: Record<string, ClientStream> = {};
  for (const streamtype of types) streams[streamtype] = await client.open({ streamtype });
  const stream = (type: string): ClientStream => {
    const found = streams[type];
    if (found === undefined) throw new Error(`no stream ${type}`);
    return found;
  };
  return { head, client, stream };
}

t.test('exec over SPDY', async t => {
  const fails = '/exec/ns/pod/c?command=fail&command=3&output=1&error=1';
  await t.test('streams, exit code and the end of everything', async t => {
    const offers = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v3.channel.k8s.io'];
    const { head, client, stream } = await spdyCommand(fails, offers, ['error', 'stdout', 'stderr']);
    t.match(head, /^HTTP\/1\.1 101 /);
    t.match(head, /X-Stream-Protocol-Version: v4\.channel\.k8s\.io\r\n/, 'the best that both speak');
    await until('the end', client.closed);
    t.equal(text(stream('stdout').chunks), 'out\n');
    t.equal(text(stream('stderr').chunks), 'err\n');
    t.same(JSON.parse(text(stream('error').chunks)), failure(3));
    for (const type of ['error', 'stdout', 'stderr']) t.ok(stream(type).ended, `${type} has ended`);
  });
  await t.test('before v4 the error is plain text', async t => {
    const { client, stream } = await spdyCommand(fails, ['v2.channel.k8s.io'], ['error', 'stdout', 'stderr']);
    await until('the end', client.closed);
    t.equal(text(stream('error').chunks), 'command terminated with non-zero exit code: exit status 3');
  });
  await t.test('much input, half closed, comes back whole', async t => {
    const path = '/exec/ns/pod/c?command=cat&input=1&output=1';
    const { client, stream } = await spdyCommand(path, ['v4.channel.k8s.io'], ['error', 'stdin', 'stdout']);
    const sent = Buffer.alloc(3 << 20, 'kubette ');
    for (let at = 0; at < sent.length; at += 100_000) client.send(stream('stdin'), sent.subarray(at, at + 100_000));
    client.ping(7);
    client.send(stream('stdin'), '', true);
    await until('the end', client.closed);
    t.ok(Buffer.concat(stream('stdout').chunks).equals(sent), 'every byte');
    t.same(JSON.parse(text(stream('error').chunks)), { metadata: {}, status: 'Success' });
    t.same(client.pongs, [7], 'pings are answered');
  });
  await t.test('a reset stream and a lost connection let the command go', async t => {
    const path = '/exec/ns/pod/c?command=hang&output=1';
    for (const how of ['reset', 'lost'] as const) {
      log.length = 0;
      const { client, stream } = await spdyCommand(path, ['v4.channel.k8s.io'], ['error', 'stdout']);
      await until('the command runs', () => log.includes('hanging'));
      if (how === 'lost') client.socket.destroy();
      else client.reset(stream('stdout'));
      // spdystream closes the connection after a reset, as the client of every library does.
      if (how === 'reset') client.socket.end();
      await until(`${how}: the command is let go`, () => log.includes('let go'));
      t.pass(how);
    }
  });
  await t.test('refusals', async t => {
    const none = await dialSpdy(port, fails, ['v9.channel.k8s.io']);
    t.match(none.head, /^HTTP\/1\.1 403 Forbidden/);
    t.match(none.head, /unable to upgrade: unable to negotiate protocol: client supports \[v9\.channel\.k8s\.io\]/);
    t.match((await dialSpdy(port, '/exec/ns/pod/c?output=1', [])).head, /^HTTP\/1\.1 400 /, 'no command');
    t.match((await dialSpdy(port, '/exec/ns/pod/c?command=cat', [])).head, /at least 1 of stdin, stdout, stderr/);
    t.match((await dialSpdy(port, '/other', [])).head, /^HTTP\/1\.1 404 /, 'not a streaming path');
  });
});

interface Channels {
  readonly socket: WebSocket;
  readonly got: Map<number, Buffer[]>;
  readonly code: () => number | undefined;
  text(channel: number): string;
  send(channel: number, data: string | Buffer): void;
}

async function channels(path: string, protocols: readonly string[]): Promise<Channels> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols]);
  const got = new Map<number, Buffer[]>();
  let code: number | undefined;
  socket.on('message', (data: Buffer) => {
    const channel = data[0] ?? -1;
    got.set(channel, [...(got.get(channel) ?? []), data.subarray(1)]);
  });
  socket.on('close', closed => (code = closed));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve()).once('error', reject);
  });
  return {
    socket,
    got,
    code: () => code,
    text: channel => text(got.get(channel) ?? []),
    send: (channel, data) => socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)])),
  };
}

t.test('exec and attach over WebSocket', async t => {
  for (const protocol of ['v4.channel.k8s.io', 'v5.channel.k8s.io'])
    await t.test(`${protocol}: streams and exit code`, async t => {
      const path = '/exec/ns/pod/c?command=fail&command=4&stdout=true&stderr=true';
      const client = await channels(path, [protocol]);
      await until('the end', () => client.code() !== undefined);
      t.equal(client.socket.protocol, protocol);
      t.equal(client.got.get(1)?.[0]?.length, 0, 'an empty frame first: the connection stands');
      t.equal(client.text(1), 'out\n');
      t.equal(client.text(2), 'err\n');
      t.same(JSON.parse(client.text(3)), failure(4));
      t.equal(client.code(), 1000);
    });
  await t.test('the first protocol tells a failure as text', async t => {
    const client = await channels('/exec/ns/pod/c?command=fail&command=4&stdout=true&stderr=true', ['channel.k8s.io']);
    await until('the end', () => client.code() !== undefined);
    t.equal(client.text(1), 'out\n');
    t.equal(client.text(3), failure(4).message);
  });
  await t.test('v5 half-closes stdin', async t => {
    const client = await channels('/exec/ns/pod/c?command=cat&stdin=true&stdout=true', ['v5.channel.k8s.io']);
    const sent = Buffer.alloc(1 << 20, 'kubette ');
    for (let at = 0; at < sent.length; at += 50_000) client.send(0, sent.subarray(at, at + 50_000));
    client.socket.send(Buffer.from([255, 0]));
    await until('the end', () => client.code() !== undefined);
    t.equal(client.text(1), sent.toString());
    t.same(JSON.parse(client.text(3)), { metadata: {}, status: 'Success' });
  });
  await t.test('attach joins the container', async t => {
    const client = await channels('/attach/ns/pod/c?stdin=true&stdout=true', ['v5.channel.k8s.io']);
    client.send(0, 'typed\n');
    await until('an echo', () => client.text(1) === 'attached to pod/c\ntyped\n');
    client.socket.send(Buffer.from([255, 0]));
    await until('the end', () => client.code() === 1000);
    t.pass();
  });
  await t.test('a program that is not there is an internal error', async t => {
    const client = await channels('/exec/ns/pod/c?command=nothing&stdout=true', ['v4.channel.k8s.io']);
    await until('the end', () => client.code() !== undefined);
    t.match(JSON.parse(client.text(3)), {
      status: 'Failure',
      reason: 'InternalError',
      message: 'no such program: nothing',
    });
  });
  await t.test('a lost connection lets the command go', async t => {
    log.length = 0;
    const client = await channels('/exec/ns/pod/c?command=hang&stdout=true', ['v5.channel.k8s.io']);
    await until('the command runs', () => log.includes('hanging'));
    client.socket.terminate();
    await until('the command is let go', () => log.includes('let go'));
    t.pass();
  });
  t.rejects(channels('/exec/ns/pod/c?command=cat&stdout=true', ['v9.channel.k8s.io']), /400/, 'an unknown protocol');
});

/** Two connections to port 80, one to 81 and one that is refused, over one SPDY connection. */
async function forwards(t: Test, client: ReturnType<typeof spdyOver>): Promise<void> {
  const pair = async (to: number, requestid: string) => {
    const headers = { port: String(to), requestid };
    const error = await client.open({ ...headers, streamtype: 'error' });
    return { error, data: await client.open({ ...headers, streamtype: 'data' }) };
  };
  const [one, two, bye, refused] = [await pair(80, '0'), await pair(80, '1'), await pair(81, '2'), await pair(9, '3')];
  client.send(one.data, 'first');
  client.send(two.data, 'second', true);
  await until('the second to end', () => two.data.ended && two.error.ended);
  t.equal(text(two.data.chunks), 'second', 'each connection has its own bytes');
  t.notOk(one.data.ended, 'and its own end');
  client.send(one.data, ' more', true);
  await until('the first to end', () => one.data.ended);
  t.equal(text(one.data.chunks), 'first more');
  await until('the goodbye', () => bye.data.ended);
  t.equal(text(bye.data.chunks), 'bye', 'what the Pod says before it ends arrives');
  await until('the refusal', () => refused.error.ended);
  t.equal(
    text(refused.error.chunks),
    'error forwarding port 9 to pod pod, namespace ns: failed to connect to localhost:9 inside namespace',
  );
  t.notOk(client.closed(), 'a refused port does not end the others');
}

t.test('port-forward', async t => {
  await t.test('over SPDY', async t => {
    const { head, client } = await dialSpdy(port, '/portForward/ns/pod', ['portforward.k8s.io']);
    t.match(head, /X-Stream-Protocol-Version: portforward\.k8s\.io/);
    await forwards(t, client);
    client.socket.destroy();
  });
  await t.test('over SPDY inside WebSocket', async t => {
    const path = `ws://127.0.0.1:${port}/portForward/ns/pod`;
    // "/" is no token character: ws neither offers this subprotocol nor takes it, so both are done behind its back.
    const socket = new WebSocket(path, { headers: { 'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io' } });
    socket.once('upgrade', ({ headers }) => {
      t.equal(headers['sec-websocket-protocol'], 'SPDY/3.1+portforward.k8s.io');
      delete headers['sec-websocket-protocol'];
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve()).once('error', reject);
    });
    await forwards(t, spdyOver(byteStreamOf(socket)));
    socket.terminate();
  });
  await t.test('over channels', async t => {
    log.length = 0;
    const client = await channels('/portForward/ns/pod?ports=80&ports=9&ports=81', ['v4.channel.k8s.io']);
    client.send(0, 'to port 80');
    await until('an echo', () => client.text(0).endsWith('to port 80'));
    for (const [channel, to] of [80, 80, 9, 9, 81, 81].entries())
      t.equal(client.got.get(channel)?.[0]?.readUInt16LE(), to, `channel ${channel} begins with its port`);
    t.match(client.text(3), /error forwarding port 9 to pod pod, namespace ns: failed to connect/);
    t.equal(client.text(4).slice(2), 'bye');
    await until('port 81 to be closed', () => log.includes('port 81 closed'));
    t.equal(client.code(), undefined, 'the others stay');
    client.socket.close();
    await until('port 80 to be closed', () => log.includes('port 80 closed'));
  });
  await t.test('channels end with the last port, after its last words', async t => {
    const client = await channels('/portForward/ns/pod?ports=81', ['v4.channel.k8s.io']);
    await until('the end', () => client.code() === 1000);
    t.equal(client.text(0).slice(2), 'bye');
  });
});
