import { joinHostPort } from '../../../machinery/ip.js';
import { NetworkError } from '../../network/errors.js';
import { httpCall } from '../../network/http-client.js';
import type { Process } from '../../process.js';
import { deadline } from '../../../machinery/deadline.js';
import type { Options } from '../options.js';
import { buildRequest } from './build-request.js';
import { CurlError } from './curl-error.js';

/** One exchange: looks the host up, connects, asks. @throws CurlError */
export async function send(
  process: Process,
  url: URL,
  options: Options,
  signal: AbortSignal,
  elapsed: () => number,
  onConnected: () => void,
) {
  const { resolver, network } = process.container;
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

  const { method, path, headers, body, ca } = await buildRequest(process, url, options);
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
