import { resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { httpCall } from '../network/http-client.js';
import { NetworkError } from '../network/errors.js';
import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { parseOptions } from './options.js';

/** Ends wget with a line and status 1. */
class WgetError extends Error {
  override readonly name = 'WgetError';
}

/** BusyBox wget: -q -O FILE -S -T SEC --header --post-data --spider --no-check-certificate -U -c -P. */
export const wget: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'qcSO:T:U:P:Y:t:o:',
    long: {
      quiet: 'q',
      'output-document': 'O:',
      timeout: 'T:',
      header: 'header:',
      'post-data': 'post:',
      spider: 'spider',
      'no-check-certificate': 'k',
      'server-response': 'S',
      'user-agent': 'U:',
      tries: 't:',
      'no-verbose': 'q',
    },
  });
  const say = async (text: string): Promise<void> => {
    if (!options.has('q')) await process.stderr.write(`${text}\n`);
  };
  const [given] = options.operands;
  if (given === undefined) {
    await process.stderr.write('wget: missing URL\n');
    return 1;
  }
  try {
    let url = new URL(/^https?:\/\//.test(given) ? given : `http://${given}`);
    for (let hops = 0; hops < 10; hops++) {
      const next = await fetchOnce(process, url, options, say);
      if (next === undefined) return 0;
      url = next;
    }
    throw new WgetError('too many redirections');
  } catch (error) {
    if (!(error instanceof WgetError)) throw error;
    await process.stderr.write(`wget: ${error.message}\n`);
    return 1;
  }
};

/** The URL to go on with, or undefined when the answer has been written. @throws WgetError */
async function fetchOnce(
  process: Process,
  url: URL,
  options: ReturnType<typeof parseOptions>,
  say: (text: string) => Promise<void>,
): Promise<URL | undefined> {
  const { resolver, network, files, clock } = process.container;
  const secure = url.protocol === 'https:';
  const port = Number(url.port === '' ? (secure ? 443 : 80) : url.port);
  const seconds = Number(options.get('T') ?? 900);
  const limit = deadline(clock, seconds * 1000, process.signal);
  try {
    const found = await resolver.lookup(url.hostname, { signal: limit.signal });
    const [address] = found.addresses;
    if (address === undefined) throw new WgetError(`bad address '${url.host}'`);
    await say(`Connecting to ${url.host} (${address}:${port})`);
    const post = options.get('post');
    const body = post === undefined ? undefined : Buffer.from(post);
    const { response, stream } = await httpCall(
      network,
      {
        to: { address, port },
        method: options.has('spider') ? 'HEAD' : body === undefined ? 'GET' : 'POST',
        path: `${url.pathname}${url.search}`,
        headers: [
          ['Host', url.host],
          ['User-Agent', options.get('U') ?? 'Wget'],
          ['Connection', 'close'],
          ...(body === undefined
            ? []
            : ([
                ['Content-Type', 'application/x-www-form-urlencoded'],
                ['Content-Length', String(body.length)],
              ] as const)),
          ...options.all('header').map(h => {
            const colon = h.indexOf(':');
            return [h.slice(0, colon), h.slice(colon + 1).trim()] as const;
          }),
        ],
        ...(body === undefined ? {} : { body }),
        ...(secure ? { tls: { serverName: url.hostname, verify: false } } : {}),
      },
      { signal: limit.signal },
    );
    try {
      const code = response.statusCode ?? 0;
      if (options.has('S')) await process.stderr.write(`  HTTP/1.1 ${code} ${response.statusMessage ?? ''}\n`);
      const { location } = response.headers;
      if (code >= 300 && code < 400 && location !== undefined) return new URL(location, url);
      if (code < 200 || code >= 300)
        throw new WgetError(`server returned error: HTTP/1.1 ${code} ${response.statusMessage ?? ''}`);
      if (options.has('spider')) {
        await say('remote file exists');
        return undefined;
      }
      const name =
        options.get('O') ??
        (url.pathname.split('/').at(-1) === '' ? 'index.html' : (url.pathname.split('/').at(-1) ?? ''));
      if (name === '-') {
        await say('writing to stdout');
        for await (const chunk of response) await process.stdout.write(chunk as Buffer);
        await say('written to stdout');
      } else {
        await say(`saving to '${name}'`);
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        await files.write(resolvePath(process.cwd, name), Buffer.concat(chunks));
        await say(`'${name}' saved`);
      }
      return undefined;
    } finally {
      stream.destroy();
    }
  } catch (error) {
    if (error instanceof DeadlineExceeded) throw new WgetError('download timed out');
    if (error instanceof NetworkError)
      throw new WgetError(`can't connect to remote host (${await addressOf(process, url.hostname)}): ${error.text}`);
    if ((error as { code?: unknown }).code === 'ECONNRESET')
      throw new WgetError('error getting response: Connection reset by peer');
    throw error;
  } finally {
    limit.cancel();
  }
}

async function addressOf(process: Process, host: string): Promise<string> {
  return (await process.container.resolver.lookup(host, { signal: process.signal })).addresses[0] ?? host;
}
