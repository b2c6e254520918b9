import type { IncomingMessage, ServerResponse } from 'node:http';
import { FileError } from '../../file-system.js';
import { captured, emptyInput } from '../../io.js';
import type { Process } from '../../process.js';
import { spawn } from '../../spawn.js';
import { NetworkError } from '../../network/errors.js';
import type { SocketAddress } from '../../network/types.js';
import { parseDuration } from '../../../machinery/duration.js';
import { readKeyPair } from './tls-files.js';
import { nextSignal, serveHttp } from '../http-server.js';
import { logLine, type Subcommand } from './command.js';
import { get, readBody } from './http.js';

const DIAL_TIMEOUT_MS = 5_000;

interface Server {
  readonly process: Process;
  readonly httpPort: number;
  /** The UDP server is up, or there is to be none. */
  readonly ready: () => boolean;
  readonly stopping: () => boolean;
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

type Handler = (
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
  form: URLSearchParams,
) => Promise<void> | void;

const log = ({ process }: Server, text: string): void => logLine(process, text);
const integer = (text: string): number | undefined => (/^[-+]?\d+$/.test(text) ? Number(text) : undefined);
const fail = (response: ServerResponse, code: number, text: string): void => {
  response.writeHead(code, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
  response.end(`${text}\n`);
};

const hostname: Handler = (server, { url = '' }, response) => {
  log(server, `GET ${url.split('?')[0] ?? ''}`);
  response.end(server.process.container.hostname);
};

const handlers: Readonly<Record<string, Handler>> = {
  '/'(server, _request, response) {
    log(server, 'GET /');
    const now = new Date(server.process.container.clock.now()).toISOString();
    response.end(`NOW: ${now.replace('T', ' ').replace('Z', '')} +0000 UTC`);
  },
  '/hostname': hostname,
  '/hostName': hostname,
  '/clientip'(server, { socket }, response) {
    log(server, 'GET /clientip');
    response.end(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`);
  },
  '/serverport'(server, _request, response) {
    log(server, 'GET /serverport');
    response.end(String(server.httpPort));
  },
  '/header'(server, request, response, form) {
    const key = form.get('key') ?? '';
    log(server, key === '' ? 'GET /header' : `GET /header?key=${key}`);
    if (key !== '') return void response.end([request.headers[key.toLowerCase()] ?? ''].flat()[0]);
    const all: Record<string, string[]> = {};
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
      const name = (request.rawHeaders[i] ?? '').toLowerCase().replace(/(^|-)[a-z]/g, c => c.toUpperCase());
      if (name !== 'Host') (all[name] ??= []).push(request.rawHeaders[i + 1] ?? '');
    }
    response.end(JSON.stringify(Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))));
  },
  '/echo'(server, _request, response, form) {
    const [msg, code] = [form.get('msg') ?? '', form.get('code') ?? ''];
    log(server, `GET /echo?msg=${msg}&code=${code}`);
    const status = code === '' ? 200 : integer(code);
    if (status === undefined)
      return void response.end(`argument 'code' must be an integer or empty, got ${JSON.stringify(code)}\n`);
    response.writeHead(status);
    response.end(msg);
  },
  '/healthz'(server, _request, response) {
    log(server, 'GET /healthz');
    response.writeHead(server.ready() ? 200 : 412);
    response.end();
  },
  '/readyz'(server, _request, response) {
    log(server, 'GET /readyz');
    const code = server.stopping() ? 503 : server.ready() ? 200 : 412;
    response.writeHead(code);
    response.end({ 503: 'shutting down', 200: 'ok', 412: '' }[code]);
  },
  '/redirect'(server, request, response, form) {
    const [location, code] = [form.get('location') ?? '', form.get('code') ?? ''];
    log(server, `${request.method ?? ''} /redirect?msg=${location}&code=${code}`);
    const status = code === '' ? 302 : integer(code);
    if (status === undefined)
      return void response.end(`argument 'code' must be an integer or empty, got ${JSON.stringify(code)}\n`);
    const absolute = /^(\/|[a-z]+:)/.test(location) ? location : `/${location}`;
    response.writeHead(status, { Location: absolute });
    response.end();
  },
  async '/exit'(server, _request, response, form) {
    const [wait, timeout, code] = ['wait', 'timeout', 'code'].map(name => form.get(name) ?? '');
    log(server, `GET /exit?code=${code ?? ''}&timeout=${timeout ?? ''}&wait=${wait ?? ''}`);
    for (const [name, value] of [
      ['timeout', timeout],
      ['wait', wait],
    ] as const)
      if (value !== '' && parseDuration(value ?? '') === undefined)
        return void response.end(
          `argument '${name}' must be a valid golang duration or empty, got ${JSON.stringify(value)}\n`,
        );
    const status = code === '' ? 0 : integer(code ?? '');
    if (status === undefined)
      return void response.end(`argument 'code' must be an integer [0-127] or empty, got ${JSON.stringify(code)}\n`);
    const { clock } = server.process.container;
    await clock.sleep(parseDuration(wait ?? '') ?? 0, server.process.signal);
    if ((parseDuration(timeout ?? '') ?? 0) > 0) response.end();
    server.exit(status);
  },
  '/shutdown'(server) {
    log(server, 'GET /shutdown');
    server.exit(0);
  },
  async '/shell'(server, _request, response, form) {
    const { process } = server;
    const command = form.get('shellCommand') ?? form.get('cmd') ?? '';
    log(server, `GET /shell?cmd=${command}`);
    const program = await process.container.program('sh');
    const text = captured();
    const { env, cwd, signal: parent } = process;
    const code =
      program === undefined
        ? 127
        : await spawn(process.container, {
            args: ['/bin/sh', '-c', command],
            program,
            env,
            cwd,
            stdin: emptyInput,
            stdout: text,
            stderr: text,
            parent,
          }).exited;
    const output = text.text();
    response.end(
      goJson({
        ...(code === 0 ? {} : { error: `exit status ${code}` }),
        ...(output === '' ? {} : { output }),
      }),
    );
  },
  async '/dial'(server, _request, response, form) {
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
    const kind = protocol.toLowerCase();
    if (!['', 'http', 'udp'].includes(kind)) return fail(response, 400, `unsupported protocol. ${protocol}`);
    const { resolver } = server.process.container;
    const [address] = (await resolver.lookup(host, { signal: server.process.signal })).addresses;
    if (address === undefined)
      return fail(response, 400, `host and/or port param are invalid. lookup ${host}: no such host`);
    const to = { address, port: Number(port) };
    const dial = kind === 'udp' ? dialUdp : dialHttp;
    const errors: string[] = [];
    const responses: string[] = [];
    let last = '';
    for (let i = 0; i < tries; i++)
      try {
        last = await dial(server.process, to, request);
        responses.push(last);
      } catch (error) {
        last = '';
        errors.push((error as Error).message);
      }
    response.end(goJson({ ...(errors.length === 0 ? {} : { errors }), ...(last === '' ? {} : { responses }) }));
  },
  async '/upload'(server, request, response) {
    log(server, 'GET /upload');
    const { files, random } = server.process.container;
    const content = fileOfForm(request.headers['content-type'] ?? '', await readBody(request));
    if (content === undefined) return void response.end(goJson({ error: 'Unable to upload file.' }));
    const path = `/uploads/upload${Math.floor(random() * 1e9)}`;
    try {
      files.makeDirectory('/uploads', { parents: true });
      await files.write(path, content, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return void response.end(goJson({ error: 'Unable to open file for write' }));
    }
    response.writeHead(201);
    response.end(goJson({ output: path }));
  },
};

/** encoding/json escapes what would matter in HTML. */
const goJson = (value: object): string =>
  JSON.stringify(value).replace(/[<>&]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The first part named "file" of a multipart form. */
function fileOfForm(contentType: string, body: Buffer): Buffer | undefined {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (boundary === undefined) return undefined;
  for (const part of body.toString('latin1').split(`--${boundary}`)) {
    const at = part.indexOf('\r\n\r\n');
    if (at < 0 || !/name="file"/.test(part.slice(0, at))) continue;
    return Buffer.from(part.slice(at + 4).replace(/\r\n$/, ''), 'latin1');
  }
  return undefined;
}

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

/** HTTP on --http-port (8080), with TLS given --tls-cert-file, and UDP on --udp-port (8081, -1 for none). */
export const netexec: Subcommand = async (process, flags) => {
  const { container } = process;
  const httpPort = flags.number('http-port', 8080);
  const udpPort = flags.number('udp-port', 8081);
  const sctp = flags.number('sctp-port', -1) !== -1;
  if (sctp) throw new Error('--sctp-port: SCTP is not simulated by this network');
  const files = { cert: flags.text('tls-cert-file', ''), key: flags.text('tls-private-key-file', '') };
  let ready = false;
  let stopping = false;
  let exit: (code: number) => void = () => undefined;
  const until = new Promise<number>((resolve, reject) => {
    exit = resolve;
    const delayMs = flags.number('delay-shutdown', 0) * 1000;
    nextSignal(process)
      .then(async () => {
        stopping = true;
        if (delayMs > 0) logLine(process, `Sleeping ${delayMs / 1000} seconds before terminating...`);
        await container.clock.sleep(delayMs, process.signal);
        resolve(0);
      })
      .catch(reject);
  });
  const server: Server = { process, httpPort, ready: () => ready, stopping: () => stopping, exit };
  const override = flags.text('http-override', '');
  logLine(process, `Started HTTP server on port ${httpPort}`);
  const closeUdp =
    udpPort === -1
      ? undefined
      : container.network.listenUdp(udpPort, (payload, { client }) => {
          const text = payload.toString('utf8').trim().toLowerCase();
          const at = `${client.address}:${client.port}`;
          if (text === 'hostname') return Buffer.from(container.hostname);
          if (text === 'clientip') return Buffer.from(at);
          if (text === 'serverport') return Buffer.from(String(udpPort));
          if (text.startsWith('echo ')) return Buffer.from(text.slice(5));
          if (text !== '') logLine(process, `Unknown UDP command received from ${at}: ${text}`);
          return undefined;
        });
  if (closeUdp !== undefined) {
    logLine(process, `Started UDP server on port  ${udpPort}`);
    ready = true;
  }
  const tls = files.cert === '' ? undefined : await readKeyPair(process, files.cert, files.key);
  try {
    return await serveHttp(
      process,
      [httpPort],
      (request, response) => {
        const url = new URL(override === '' ? (request.url ?? '/') : override, 'http://localhost');
        const run = async (): Promise<void> => {
          const form = new URLSearchParams(url.searchParams);
          if (request.method !== 'GET' && (request.headers['content-type'] ?? '').startsWith('application/x-www-form'))
            for (const [name, value] of new URLSearchParams((await readBody(request)).toString('utf8')))
              form.set(name, value);
          await (handlers[url.pathname] ?? handlers['/'])?.(server, request, response, form);
        };
        run().catch((error: unknown) => {
          if (process.signal.aborted) return;
          logLine(process, (error as Error).message);
          response.destroy();
        });
      },
      { until, ...(tls === undefined ? {} : { tls }) },
    );
  } finally {
    closeUdp?.();
  }
};
