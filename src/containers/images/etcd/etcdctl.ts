import { NetworkError } from '../../network/errors.js';
import { httpCall } from '../../network/http-client.js';
import type { Process, Program } from '../../process.js';
import { readBody } from '../agnhost/http.js';
import { flagOf } from '../http/served.js';
import { notSimulated } from '../not-simulated.js';
import { ETCD_VERSION } from './server.js';

/** An answer is parsed in one piece. */
const MAX_ANSWER = 4 * 1024 * 1024;

type Answer = Readonly<Record<string, unknown>>;

const VALUES = new Set([
  'endpoints',
  'command-timeout',
  'dial-timeout',
  'write-out',
  'w',
  'user',
  'password',
  'limit',
  'cacert',
  'cert',
  'key',
]);

/** Words that are neither flags nor their values. */
function wordsOf({ args }: Process): string[] {
  const words: string[] = [];
  for (let i = 1; i < args.length; i++) {
    const word = args[i] ?? '';
    if (!word.startsWith('-')) words.push(word);
    else if (!word.includes('=') && VALUES.has(word.replace(/^-+/, ''))) i++;
  }
  return words;
}

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** The first key behind all that begin so. */
function prefixEnd(key: string): string {
  const all = Buffer.from(key, 'utf8');
  for (let i = all.length - 1; i >= 0; i--) {
    const byte = all[i] ?? 0;
    if (byte < 0xff) return Buffer.concat([all.subarray(0, i), Buffer.from([byte + 1])]).toString('base64');
  }
  return Buffer.from([0]).toString('base64');
}

interface Endpoint {
  readonly text: string;
  readonly host: string;
  readonly port: number;
}

const endpointOf = (text: string): Endpoint => {
  const [host = '', port = '2379'] = text.replace(/^\w+:\/\//, '').split(':');
  return { text, host, port: Number(port) };
};

/** @throws NetworkError, or Error with what the server says */
async function post(process: Process, { host, port }: Endpoint, path: string, body: object): Promise<Answer> {
  const { container, signal } = process;
  const [address] = (await container.resolver.lookup(host, { signal })).addresses;
  if (address === undefined) throw new Error(`dial tcp: lookup ${host}: no such host`);
  const data = Buffer.from(JSON.stringify(body));
  const { response, stream } = await httpCall(
    container.network,
    {
      to: { address, port },
      method: 'POST',
      path,
      headers: [
        ['Host', `${host}:${port}`],
        ['Content-Length', String(data.length)],
        ['Connection', 'close'],
      ],
      body: data,
    },
    { signal },
  );
  try {
    const answer = JSON.parse((await readBody(response, MAX_ANSWER)).toString('utf8')) as Answer;
    if (response.statusCode !== 200) throw new Error(String(answer['message']));
    return answer;
  } finally {
    stream.destroy();
  }
}

const text = (value: unknown): string =>
  typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';

interface Shown {
  readonly key?: string;
  readonly value?: string;
}

/** Runs one command against an endpoint. */
async function run(process: Process, endpoint: Endpoint, words: readonly string[]): Promise<number> {
  const { stdout, args } = process;
  const [command = '', first = '', second] = words;
  const has = (...names: readonly string[]): boolean => names.some(name => args.includes(name));
  const rangeEnd = has('--prefix')
    ? { range_end: prefixEnd(first) }
    : has('--from-key')
      ? { range_end: bytes('\0') }
      : second === undefined
        ? {}
        : { range_end: bytes(second) };
  switch (command) {
    case 'put':
      await post(process, endpoint, '/v3/kv/put', { key: bytes(first), value: bytes(second ?? '') });
      await stdout.write('OK\n');
      return 0;
    case 'get': {
      const limit = flagOf(process, 'limit');
      const answer = await post(process, endpoint, '/v3/kv/range', {
        key: bytes(first),
        ...rangeEnd,
        ...(limit === undefined ? {} : { limit }),
      });
      const found = (answer['kvs'] ?? []) as readonly Shown[];
      for (const { key, value } of found) {
        const lines = [
          ...(has('--print-value-only') ? [] : [text(key)]),
          ...(has('--keys-only') ? [''] : [text(value)]),
        ];
        await stdout.write(`${lines.join('\n')}\n`);
      }
      return 0;
    }
    case 'del': {
      const answer = await post(process, endpoint, '/v3/kv/deleterange', { key: bytes(first), ...rangeEnd });
      await stdout.write(`${String(answer['deleted'])}\n`);
      return 0;
    }
    case 'member': {
      if (first !== 'list') return notSimulated(process, `command "member ${first}"`);
      const answer = await post(process, endpoint, '/v3/cluster/member/list', {});
      for (const { ID, name, peerURLs, clientURLs } of (answer['members'] ?? []) as readonly Readonly<
        Record<string, unknown>
      >[])
        await stdout.write(
          `${String(ID)}, started, ${String(name)}, ${String(peerURLs)}, ${String(clientURLs)}, false\n`,
        );
      return 0;
    }
    default:
      return notSimulated(process, `command "${command.slice(0, 64)}"`);
  }
}

/** endpoint health and status, of every endpoint. */
async function endpoints(process: Process, all: readonly Endpoint[], what: string): Promise<number> {
  const { stdout, stderr, container } = process;
  if (what !== 'health' && what !== 'status') return notSimulated(process, `command "endpoint ${what.slice(0, 64)}"`);
  let code = 0;
  for (const endpoint of all) {
    const began = container.clock.monotonic();
    try {
      const answer = await post(process, endpoint, '/v3/maintenance/status', {});
      const took = container.clock.monotonic() - began;
      if (what === 'status')
        await stdout.write(
          `${endpoint.text}, 1, ${String(answer['version'])}, 20 kB, true, false, 2, ${String(answer['raftIndex'])}, ${String(answer['raftIndex'])}, \n`,
        );
      else
        await stdout.write(
          `${endpoint.text} is healthy: successfully committed proposal: took = ${took.toFixed(6)}ms\n`,
        );
    } catch (error) {
      if (process.signal.aborted) throw error;
      code = 1;
      await stderr.write(`${endpoint.text} is unhealthy: failed to commit proposal: ${(error as Error).message}\n`);
    }
  }
  if (code !== 0) await stderr.write('Error: unhealthy cluster\n');
  return code;
}

/** etcdctl over the JSON gateway: put, get, del, endpoint health|status, member list. */
export const etcdctl: Program = async process => {
  const { env, stdout, stderr, args } = process;
  const words = wordsOf(process);
  if (words[0] === 'version' || args.includes('--version')) {
    await stdout.write(`etcdctl version: ${ETCD_VERSION}\nAPI version: 3.6\n`);
    return 0;
  }
  const named = flagOf(process, 'endpoints') ?? env['ETCDCTL_ENDPOINTS'] ?? '127.0.0.1:2379';
  const all = named.split(',', 16).map(endpointOf);
  if (all.some(({ text: url }) => url.startsWith('https:'))) return notSimulated(process, 'TLS');
  if (words[0] === 'endpoint') return endpoints(process, all, words[1] ?? '');
  try {
    return await run(process, all[0] ?? endpointOf(''), words);
  } catch (error) {
    if (process.signal.aborted) throw error;
    const said =
      error instanceof NetworkError
        ? `connection error: desc = "transport: ${error.text.toLowerCase()}"`
        : (error as Error).message;
    await stderr.write(`Error: ${said}\n`);
    return 1;
  }
};
