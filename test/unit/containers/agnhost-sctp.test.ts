import t from 'tap';
import type { NetStream } from '../../../src/containers/network/types.js';
import { captured } from '../../../src/containers/io.js';
import { get } from '../../../src/containers/images/agnhost/http.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import {
  busybox,
  containerContext,
  ENV,
  imageOf,
  loopbackNetwork,
  type Fixture,
} from '../../support/simulated-container.js';
import { answered } from '../../support/until.js';

interface Server extends Fixture {
  readonly image: string;
  readonly args: readonly string[];
}

/** A container whose program listens on a port of SCTP. */
async function start({ args, ...fixture }: Server, port: number) {
  const context = containerContext(fixture);
  const image = imageOf(fixture.image);
  const running = await busybox(context, { image, command: undefined, args, env: { ...ENV, ...fixture.env } });
  const connect = (): Promise<NetStream> =>
    answered(() => context.network.connect({ address: '127.0.0.1', port }, { protocol: 'sctp' }));
  /** Sends messages, and resolves with those that come until the association ends. */
  const ask = async (...messages: string[]): Promise<string[]> => {
    const association = await connect();
    for (const message of messages) association.write(Buffer.from(message));
    const answers: string[] = [];
    for await (const answer of association) answers.push(String(answer));
    return answers;
  };
  const run = async (...command: string[]): Promise<[number, string]> => {
    (await connect()).destroy();
    const stderr = captured();
    const code = await running.exec(command, { stderr, tty: false, signal: new AbortController().signal });
    return [code, stderr.text()];
  };
  const dial = async (query: Record<string, string>): Promise<unknown> => {
    (await connect()).destroy();
    const path = `/dial?${String(new URLSearchParams({ host: '127.0.0.1', port: String(port), ...query }))}`;
    const { signal } = new AbortController();
    return JSON.parse(
      (await get(context, { address: '127.0.0.1', port: 8080 }, path, { signal, timeoutMs: Infinity })).body,
    );
  };
  return { ask, run, connect, dial, stop: () => running.kill('KILL') };
}

const netexec = { image: 'agnhost', args: ['netexec', '--sctp-port=8082'] };

t.test('netexec answers one message of each association', async t => {
  const server = await start(netexec, 8082);
  const rows = [
    { send: 'hostname', expect: ['p'] },
    { send: 'HostName\n', expect: ['p'] },
    { send: 'echo hello there', expect: ['hello there'] },
    { send: 'serverport', expect: ['8082'] },
    { send: 'what', expect: [] },
    { send: `hostname${' '.repeat(2000)}x`, expect: ['p'] },
  ];
  for (const { send, expect } of rows) t.same(await server.ask(send), expect, send.slice(0, 20));
  t.match(await server.ask('clientip'), [/^127\.0\.0\.1:\d+$|^10\.244\.1\.5:\d+$/]);
  t.same(await server.ask('echo a', 'echo b'), ['a'], 'a second message is not read');
  server.stop();
});

t.test('netexec /dial asks over SCTP', async t => {
  const clock = new FakeClock();
  const network = loopbackNetwork();
  network.listen(8084, association => void association.once('data', () => clock.step(5_000)), { protocol: 'sctp' });
  const server = await start({ ...netexec, clock, network }, 8082);
  const rows: { name: string; query: Record<string, string>; expect: unknown }[] = [
    { name: 'an answer', query: { request: 'hostname' }, expect: { responses: ['p'] } },
    {
      name: 'the protocol in capitals',
      query: { request: 'hostname', protocol: 'SCTP' },
      expect: { responses: ['p'] },
    },
    { name: 'each try', query: { request: 'echo a', tries: '2' }, expect: { responses: ['a', 'a'] } },
    {
      name: 'nobody listens',
      query: { request: 'hostname', port: '8083' },
      expect: { errors: ['sctp dial failed. err:connection refused'] },
    },
    {
      name: 'nobody answers',
      query: { request: 'hostname', port: '8084' },
      expect: { errors: ["reading from sctp connection failed. err:'i/o timeout'"] },
    },
    {
      name: 'it ends without an answer',
      query: { request: 'what' },
      expect: { errors: ["reading from sctp connection failed. err:'EOF'"] },
    },
  ];
  for (const { name, query, expect } of rows) t.same(await server.dial({ protocol: 'sctp', ...query }), expect, name);
  server.stop();
});

t.test('porter and echo over SCTP', async t => {
  const porter = await start({ image: 'agnhost', args: ['porter'], env: { SERVE_SCTP_PORT_9004: 'value' } }, 9004);
  t.same(await porter.ask(), ['value']);
  porter.stop();
  const echo = await start({ image: 'echo', args: [], ports: [{ containerPort: 132, protocol: 'SCTP' }] }, 132);
  const association = await echo.connect();
  const answers: string[] = [];
  for (const message of ['one', 'two']) association.write(Buffer.from(message));
  for await (const answer of association) if (answers.push(String(answer)) === 2) break;
  t.same(answers, ['one', 'two']);
  echo.stop();
});

t.test('agnhost connect --protocol=sctp', async t => {
  const server = await start(netexec, 8082);
  const rows: { name: string; args: readonly string[]; expect: [number, string] }[] = [
    { name: 'somebody answers', args: ['127.0.0.1:8082', '--timeout=30s'], expect: [0, ''] },
    {
      name: 'nobody listens',
      args: ['127.0.0.1:8083', '--timeout=30s'],
      expect: [1, 'OTHER: connection refused\n'],
    },
    { name: 'no way', args: ['10.9.9.9:8082', '--timeout=30s'], expect: [1, 'OTHER: no route to host\n'] },
    {
      name: 'it ends without an answer',
      args: ['127.0.0.1:8082', '--timeout=30s', '--sctp-data=what'],
      expect: [1, 'OTHER: EOF\n'],
    },
    {
      name: 'no name',
      args: ['nobody.invalid:8082', '--timeout=30s'],
      expect: [1, 'DNS: lookup nobody.invalid: no such host\n'],
    },
  ];
  for (const { name, args, expect } of rows)
    t.same(await server.run('/agnhost', 'connect', '--protocol=sctp', ...args), expect, name);
  server.stop();
});
