import { resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { NetworkError } from '../network/errors.js';
import { CurlError } from './curl-parts/curl-error.js';
import { send } from './curl-parts/send.js';
import { writeOut } from './curl-parts/write-out.js';
import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { parseOptions, UsageError, type Options } from './options.js';

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
