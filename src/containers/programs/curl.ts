import { resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { httpCall } from '../network/http-client.js';
import { joinHostPort } from '../../machinery/ip.js';
import { NetworkError } from '../network/errors.js';
import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { parseOptions, UsageError, type Options } from './options.js';

/** A failure with curl's exit code. */
class CurlError extends Error {
  override readonly name = 'CurlError';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

const LONG: Readonly<Record<string, string>> = {
  disable: 'q',
  globoff: 'g',
  interface: 'interface:',
  silent: 's',
  'show-error': 'S',
  include: 'i',
  head: 'I',
  output: 'o:',
  'write-out': 'w:',
  'max-time': 'm:',
  'connect-timeout': 'connect-timeout:',
  insecure: 'k',
  header: 'H:',
  request: 'X:',
  data: 'd:',
  'data-raw': 'd:',
  'data-ascii': 'd:',
  'data-binary': 'd:',
  'data-urlencode': 'd:',
  json: 'json:',
  location: 'L',
  fail: 'f',
  verbose: 'v',
  'user-agent': 'A:',
  user: 'u:',
  cacert: 'cacert:',
  retry: 'retry:',
  'retry-delay': 'retry-delay:',
  'retry-connrefused': 'retry-connrefused',
  'retry-all-errors': 'retry-connrefused',
  'no-buffer': 'N',
  'no-progress-meter': 's',
  get: 'G',
  resolve: 'resolve:',
  ipv4: '4',
  ipv6: '6',
  'http1.1': 'http1.1',
  compressed: 'compressed',
  'oauth2-bearer': 'bearer:',
};

const TRANSIENT = [408, 429, 500, 502, 503, 504];

export const curl: Program = async process => {
  let options: Options;
  try {
    options = parseOptions(process.args.slice(1), { short: 'gqsSiIo:w:m:kH:X:d:LfvA:u:NG46#', long: LONG });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await process.stderr.write(`curl: option ${error.message.replace(/^.*: /, '--')}: is unknown\n`);
    return 2;
  }
  if (options.operands.length === 0) {
    await process.stderr.write('curl: (2) no URL specified\n');
    return 2;
  }
  let status = 0;
  for (const url of options.operands) status = await transfer(process, url, options);
  return status;
};

async function transfer(process: Process, url: string, options: Options): Promise<number> {
  const { clock } = process.container;
  const retries = Number(options.get('retry') ?? 0);
  for (let attempt = 0; ; attempt++) {
    try {
      const { code } = await once(process, url, options, attempt < retries);
      if (attempt >= retries || !TRANSIENT.includes(code)) return code >= 400 && options.has('f') ? 22 : 0;
    } catch (error) {
      if (!(error instanceof CurlError)) throw error;
      const again = error.code === 28 || error.code === 6 || (error.code === 7 && options.has('retry-connrefused'));
      if (attempt >= retries || !again) {
        if (!options.has('s') || options.has('S'))
          await process.stderr.write(`curl: (${error.code}) ${error.message}\n`);
        const format = options.get('w');
        if (format !== undefined)
          await process.stdout.write(writeOut(format, { url, code: 0, size: 0, ms: 0, ip: '', type: '' }));
        return error.code;
      }
    }
    await clock.sleep(Number(options.get('retry-delay') ?? Math.min(600, 2 ** attempt)) * 1000, process.signal);
  }
}

/** One transfer with its redirects. @throws CurlError */
async function once(process: Process, given: string, options: Options, mayRetry: boolean): Promise<{ code: number }> {
  const { clock } = process.container;
  const started = clock.monotonic();
  const elapsed = (): number => Math.max(0, Math.round(clock.monotonic() - started));
  const maxMs = Number(options.get('m') ?? 0) * 1000;
  const limit = deadline(clock, maxMs === 0 ? Infinity : maxMs, process.signal);
  let received = 0;
  let connected = false;
  try {
    let url = parseUrl(given);
    for (let hops = 0; ; hops++) {
      const exchange = await send(process, url, options, limit.signal, elapsed, () => (connected = true));
      const { response, stream } = exchange;
      const code = response.statusCode ?? 0;
      try {
        const location = response.headers.location;
        if (options.has('L') && location !== undefined && code >= 300 && code < 400) {
          if (hops >= 50) throw new CurlError(47, 'Maximum (50) redirects followed');
          url = new URL(location, url);
          connected = false;
          continue;
        }
        if (mayRetry && TRANSIENT.includes(code)) return { code };
        const verbose = options.has('v');
        const status = `HTTP/${response.httpVersion} ${code}${response.statusMessage === '' ? '' : ` ${response.statusMessage ?? ''}`}`;
        const lines = [status];
        for (let i = 0; i < response.rawHeaders.length; i += 2)
          lines.push(`${response.rawHeaders[i] ?? ''}: ${response.rawHeaders[i + 1] ?? ''}`);
        if (verbose) await process.stderr.write(lines.map(line => `< ${line}\r\n`).join('') + '< \r\n');
        const output = options.get('o');
        const chunks: Buffer[] = [];
        const emit = async (data: Buffer | string): Promise<void> => {
          if (output === undefined) await process.stdout.write(data);
          else chunks.push(Buffer.from(data));
        };
        if (options.has('i') || options.has('I')) await emit(`${lines.join('\r\n')}\r\n\r\n`);
        const failing = options.has('f') && code >= 400;
        for await (const chunk of response) {
          received += (chunk as Buffer).length;
          if (!failing) await emit(chunk as Buffer);
          limit.signal.throwIfAborted();
        }
        if (output !== undefined && output !== '-')
          await process.container.files.write(resolvePath(process.cwd, output), Buffer.concat(chunks));
        else if (output === '-') await process.stdout.write(Buffer.concat(chunks));
        if (failing && (!options.has('s') || options.has('S')))
          await process.stderr.write(`curl: (22) The requested URL returned error: ${code}\n`);
        const format = options.get('w');
        const type = response.headers['content-type'] ?? '';
        if (format !== undefined)
          await process.stdout.write(
            writeOut(format, { url: url.href, code, size: received, ms: elapsed(), ip: exchange.ip, type }),
          );
        return { code };
      } finally {
        stream.destroy();
      }
    }
  } catch (error) {
    if (error instanceof DeadlineExceeded)
      throw new CurlError(
        28,
        connected
          ? `Operation timed out after ${elapsed()} milliseconds with ${received} bytes received`
          : `Connection timed out after ${elapsed()} milliseconds`,
      );
    const { code, message } = error as { code?: unknown; message: string };
    if (connected && (code === 'ECONNRESET' || error instanceof NetworkError))
      throw received === 0 && message === 'socket hang up'
        ? new CurlError(52, 'Empty reply from server')
        : new CurlError(56, 'Recv failure: Connection reset by peer');
    if (typeof code === 'string' && code.startsWith('HPE_'))
      throw new CurlError(1, 'Received HTTP/0.9 when not allowed');
    throw error;
  } finally {
    limit.cancel();
  }
}

function parseUrl(text: string): URL {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(full);
  } catch {
    throw new CurlError(3, 'URL rejected: Malformed input to a URL function');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new CurlError(1, `Protocol "${url.protocol.slice(0, -1)}" not supported`);
  return url;
}

async function send(
  process: Process,
  url: URL,
  options: Options,
  signal: AbortSignal,
  elapsed: () => number,
  onConnected: () => void,
) {
  const { resolver, network, files } = process.container;
  const secure = url.protocol === 'https:';
  const port = Number(url.port === '' ? (secure ? 443 : 80) : url.port);
  const verbose = async (text: string): Promise<void> => {
    if (options.has('v')) await process.stderr.write(`* ${text}\n`);
  };
  const host = url.hostname;
  const pinned = options.all('resolve').find(entry => entry.startsWith(`${host}:${port}:`));
  const family = options.has('6') ? ({ type: 'AAAA' } as const) : options.has('4') ? ({ type: 'A' } as const) : {};
  const addresses =
    pinned === undefined
      ? (await resolver.lookup(host, { signal, ...family })).addresses
      : pinned.slice(`${host}:${port}:`.length).split(',');
  let [address] = addresses;
  if (address === undefined) throw new CurlError(6, `Could not resolve host: ${host}`);

  const headers: [string, string][] = [
    ['Host', url.host],
    ['User-Agent', options.get('A') ?? 'curl/8.14.1'],
    ['Accept', '*/*'],
  ];
  const put = (name: string, value: string): void => {
    const at = headers.findIndex(([known]) => known.toLowerCase() === name.toLowerCase());
    if (at >= 0) headers.splice(at, 1);
    headers.push([name, value]);
  };
  const user = options.get('u') ?? (url.username === '' ? undefined : `${url.username}:${url.password}`);
  if (user !== undefined) put('Authorization', `Basic ${Buffer.from(user).toString('base64')}`);
  const bearer = options.get('bearer');
  if (bearer !== undefined) put('Authorization', `Bearer ${bearer}`);

  const parts: string[] = [];
  for (const part of [...options.all('d'), ...options.all('json')])
    parts.push(
      part.startsWith('@') ? (await files.read(resolvePath(process.cwd, part.slice(1)))).toString('utf8') : part,
    );
  const asQuery = options.has('G');
  const body = parts.length > 0 && !asQuery ? Buffer.from(parts.join('&')) : undefined;
  if (body !== undefined) {
    const json = options.all('json').length > 0;
    put('Content-Type', json ? 'application/json' : 'application/x-www-form-urlencoded');
    if (json) put('Accept', 'application/json');
    put('Content-Length', String(body.length));
  }
  for (const header of options.all('H')) {
    const colon = header.indexOf(':');
    if (colon > 0) put(header.slice(0, colon), header.slice(colon + 1).trim());
  }
  const query =
    asQuery && parts.length > 0 ? `${url.search === '' ? '?' : `${url.search}&`}${parts.join('&')}` : url.search;
  const method = options.get('X') ?? (options.has('I') ? 'HEAD' : body === undefined ? 'GET' : 'POST');
  const caFile = options.get('cacert') ?? process.env['CURL_CA_BUNDLE'];
  const ca = caFile === undefined ? undefined : (await files.read(resolvePath(process.cwd, caFile))).toString('utf8');
  const path = `${url.pathname}${query}`;
  const connectMs = Number(options.get('connect-timeout') ?? 300) * 1000;
  const connecting = deadline(process.container.clock, connectMs, signal);
  try {
    // Until the connection stands the shorter of both limits holds; afterwards only --max-time.
    const dial: typeof network = {
      ...network,
      connect: async (to, dialOptions) => {
        const attempt = { ...dialOptions, signal: connecting.signal };
        const [connection, used] = await connectToFirst(addresses, async next => {
          await verbose(`  Trying ${joinHostPort(next, port)}...`);
          return network.connect({ ...to, address: next }, attempt);
        });
        address = used;
        connecting.cancel();
        onConnected();
        await verbose(`Connected to ${host} (${address}) port ${port}`);
        if (options.has('v'))
          await process.stderr.write(
            `> ${method} ${path} HTTP/1.1\r\n${headers.map(([n, v]) => `> ${n}: ${v}\r\n`).join('')}> \r\n`,
          );
        return connection;
      },
    };
    const tls = secure
      ? { serverName: host, verify: !options.has('k'), ...(ca === undefined ? {} : { ca }) }
      : undefined;
    const answer = await httpCall(
      dial,
      {
        to: { address, port },
        method,
        path,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(tls === undefined ? {} : { tls }),
      },
      { signal },
    );
    return { ...answer, ip: address };
  } catch (error) {
    if (error instanceof NetworkError && connecting.pending())
      throw error.code === 'ETIMEDOUT'
        ? new CurlError(28, `Failed to connect to ${host} port ${port} after ${elapsed()} ms: Timeout was reached`)
        : new CurlError(
            7,
            `Failed to connect to ${host} port ${port} after ${elapsed()} ms: Could not connect to server`,
          );
    const { code } = error as { code?: unknown };
    const certificate = [
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ];
    if (typeof code === 'string' && certificate.includes(code))
      throw new CurlError(60, 'SSL certificate problem: unable to get local issuer certificate');
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      throw new CurlError(60, `SSL: no alternative certificate subject name matches target host name '${host}'`);
    if (secure && typeof code === 'string' && /^(ERR_SSL|EPROTO)/.test(code))
      throw new CurlError(35, 'TLS connect error: error:0A00010B:SSL routines::wrong version number');
    throw error;
  } finally {
    connecting.cancel();
  }
}

/** What a host has several addresses for: the next is tried when one does not answer. @throws what the last one did */
async function connectToFirst<T>(
  addresses: readonly string[],
  connect: (address: string) => Promise<T>,
): Promise<readonly [T, string]> {
  let failure: unknown;
  for (const address of addresses)
    try {
      return [await connect(address), address];
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      failure = error;
    }
  throw failure;
}

function writeOut(
  format: string,
  { url, code, size, ms, ip, type }: { url: string; code: number; size: number; ms: number; ip: string; type: string },
): string {
  const values: Readonly<Record<string, string>> = {
    http_code: String(code).padStart(3, '0'),
    response_code: String(code).padStart(3, '0'),
    size_download: String(size),
    time_total: (ms / 1000).toFixed(6),
    remote_ip: ip,
    url_effective: url,
    content_type: type,
  };
  return format
    .replace(/%\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/%%/g, '%');
}
