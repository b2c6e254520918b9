import type { ServerResponse } from 'node:http';
import { deadline } from '../../../../machinery/deadline.js';
import { NetworkError } from '../../../network/errors.js';
import type { SocketAddress } from '../../../network/types.js';
import type { Process } from '../../../process.js';
import { get } from '../http.js';
import { ask as askSctp } from '../sctp.js';
import { goJson, integer, log, type Handler } from './handler.js';

const DIAL_TIMEOUT_MS = 5_000;

const fail = (response: ServerResponse, code: number, text: string): void => {
  response.writeHead(code, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
  response.end(`${text}\n`);
};

type Dialer = (process: Process, to: SocketAddress, request: string) => Promise<string>;

const DIALERS: ReadonlyMap<string, Dialer> = new Map([
  ['', dialHttp],
  ['http', dialHttp],
  ['udp', dialUdp],
  ['sctp', dialSctp],
]);

/** Asks another server, over HTTP, UDP or SCTP, as often as it is told. */
export const dial: Handler = async (server, _request, response, form) => {
  const of = (name: string): string => form.get(name) ?? '';
  const [host, port, request, protocol] = [of('host'), of('port'), of('request'), of('protocol')];
  log(server, `GET /dial?host=${host}&protocol=${protocol}&port=${port}&request=${request}&tries=${of('tries')}`);
  const tries = of('tries') === '' ? 1 : integer(of('tries'));
  if (tries === undefined)
    return fail(
      response,
      400,
      `tries parameter is invalid. strconv.Atoi: parsing ${JSON.stringify(of('tries'))}: invalid syntax`,
    );
  if (request === '') return fail(response, 400, 'request parameter not specified. <nil>');
  const ask = DIALERS.get(protocol.toLowerCase());
  if (ask === undefined) return fail(response, 400, `unsupported protocol. ${protocol}`);
  const { resolver } = server.process.container;
  const [address] = (await resolver.lookup(host, { signal: server.process.signal })).addresses;
  if (address === undefined)
    return fail(response, 400, `host and/or port param are invalid. lookup ${host}: no such host`);
  const to = { address, port: Number(port) };
  const errors: string[] = [];
  const responses: string[] = [];
  let last = '';
  for (let i = 0; i < tries; i++)
    try {
      last = await ask(server.process, to, request);
      responses.push(last);
    } catch (error) {
      last = '';
      errors.push((error as Error).message);
    }
  response.end(goJson({ ...(errors.length === 0 ? {} : { errors }), ...(last === '' ? {} : { responses }) }));
};

async function dialHttp({ container, signal }: Process, to: SocketAddress, request: string): Promise<string> {
  const url = `http://${to.address}:${to.port}/${request}`;
  try {
    return (await get(container, to, `/${request}`, { signal, timeoutMs: DIAL_TIMEOUT_MS })).body;
  } catch (error) {
    const why =
      error instanceof NetworkError
        ? `dial tcp ${to.address}:${to.port}: connect: ${error.text.toLowerCase()}`
        : (error as Error).message;
    throw new Error(`Get ${JSON.stringify(url)}: ${why}`, { cause: error });
  }
}

async function dialUdp({ container, signal }: Process, to: SocketAddress, request: string): Promise<string> {
  try {
    const answer = await container.network.exchange(to, Buffer.from(request), { signal, timeoutMs: DIAL_TIMEOUT_MS });
    return answer.toString('utf8');
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const { text, code } = error;
    const why = code === 'ETIMEDOUT' ? 'i/o timeout' : text.toLowerCase();
    throw new Error(
      `reading from udp connection failed. err:'read udp ${container.pod.ip}->${to.address}:${to.port}: ${why}'`,
      {
        cause: error,
      },
    );
  }
}

/** The association has as long as the network gives it, the answer five seconds. */
async function dialSctp({ container, signal }: Process, to: SocketAddress, request: string): Promise<string> {
  const association = await container.network.connect(to, { protocol: 'sctp', signal }).catch((error: unknown) => {
    if (!(error instanceof NetworkError)) throw error;
    throw new Error(`sctp dial failed. err:${error.text.toLowerCase()}`, { cause: error });
  });
  const unread = (why: string, cause?: unknown): Error =>
    new Error(`reading from sctp connection failed. err:'${why}'`, { cause });
  const expiry = deadline(container.clock, DIAL_TIMEOUT_MS, signal);
  let answer: Buffer | undefined;
  try {
    answer = await askSctp(association, request, expiry.signal);
  } catch (error) {
    if (signal.aborted) throw error;
    if (expiry.signal.aborted) throw unread('i/o timeout', error);
    if (!(error instanceof NetworkError)) throw error;
    throw unread(error.text.toLowerCase(), error);
  } finally {
    expiry.cancel();
  }
  if (answer === undefined) throw unread('EOF');
  return answer.toString('utf8');
}
