import { FileError, resolvePath } from '../../file-system.js';
import { formatDuration } from '../../../machinery/duration.js';
import { nextSignal, serveHttp } from '../http-server.js';
import { sniffedTextType } from './content-type.js';
import { logLine, type Subcommand } from './command.js';
import { readBody } from './http.js';
import { readKeyPair } from './tls-files.js';

const AFTER_SIGNAL_MS = 60_000;

/** Answers with the hostname over HTTP, or raw with --tcp or --udp; port 9376. Stays a minute after SIGTERM. */
export const serveHostname: Subcommand = async (process, flags) => {
  const { container } = process;
  const port = flags.number('port', 9376);
  const [tcp, udp] = [flags.bool('tcp', false), flags.bool('udp', false)];
  const http = flags.bool('http', true);
  if (http && (tcp || udp)) {
    logLine(process, "Can't server TCP/UDP mode and HTTP mode at the same time");
    return 1;
  }
  const until = nextSignal(process).then(async name => {
    logLine(process, `Shutting down after receiving signal: ${name === 'INT' ? 'interrupt' : 'terminated'}.`);
    logLine(process, 'Awaiting pod deletion.');
    await container.clock.sleep(AFTER_SIGNAL_MS, process.signal);
    return 0;
  });
  logLine(process, `Serving on port ${port}.`);
  if (http)
    return serveHttp(
      process,
      [port],
      ({ socket }, response) => {
        logLine(process, `HTTP request from ${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`);
        if (flags.bool('close', false)) response.setHeader('Connection', 'close');
        response.end(container.hostname);
      },
      { until },
    );
  const closers = [
    ...(tcp ? [container.network.listen(port, stream => void stream.end(container.hostname))] : []),
    ...(udp ? [container.network.listenUdp(port, () => Buffer.from(container.hostname))] : []),
  ];
  return until.finally(() => {
    for (const close of closers) close();
  });
};

/** Serves the value of every SERVE_PORT_n on port n, of SERVE_TLS_PORT_n with the certificate of CERT_FILE, of SERVE_SCTP_PORT_n as a message. */
export const porter: Subcommand = async (process, flags) => {
  const { env } = process;
  const json = flags.bool('json-response', false);
  const serve = (port: string, value: string, tls?: { cert: string; key: string }): Promise<number> =>
    serveHttp(
      process,
      [Number(port)],
      ({ method = '' }, response) => {
        response.setHeader('Content-Type', json ? 'application/json' : sniffedTextType(value));
        response.end(json ? JSON.stringify({ Method: method, Body: value }) : value);
      },
      {
        until: new Promise((_, reject) =>
          process.signal.addEventListener('abort', () => reject(process.signal.reason as Error)),
        ),
        ...(tls === undefined ? {} : { tls }),
      },
    );
  const serveSctp = (port: number, value: string): void => {
    process.container.network.listen(
      port,
      association => {
        association.resume();
        association.end(Buffer.from(value));
      },
      { protocol: 'sctp' },
    );
    logLine(process, 'Started SCTP server');
  };
  const running: Promise<number>[] = [];
  for (const [name, value] of Object.entries(env)) {
    const [, kind, port = ''] = /^SERVE_(|TLS_|SCTP_)PORT_(\d+)$/.exec(name) ?? [];
    if (kind === undefined) continue;
    if (kind === 'SCTP_') serveSctp(Number(port), value);
    else if (kind === '') running.push(serve(port, value));
    else {
      const tls = await readKeyPair(process, env['CERT_FILE'] ?? 'localhost.crt', env['KEY_FILE'] ?? 'localhost.key');
      running.push(serve(port, value, tls));
    }
  }
  await Promise.all(running);
  return new Promise((_, reject) => {
    const end = (): void => reject(process.signal.reason as Error);
    if (process.signal.aborted) end();
    else process.signal.addEventListener('abort', end, { once: true });
  });
};

/** Any file of the container by its path; port 80. */
export const testWebserver: Subcommand = async (process, flags) => {
  const { files } = process.container;
  return serveHttp(process, [flags.number('port', 80)], (request, response) => {
    const path = resolvePath('/', decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'));
    response.setHeader('Cache-Control', 'private');
    response.setHeader('Access-Control-Allow-Origin', '*');
    const answer = async (): Promise<void> => {
      try {
        if (files.kind(path) === 'directory') {
          const names = files
            .list(path)
            .map(name => (files.kind(resolvePath(path, name)) === 'directory' ? `${name}/` : name));
          response.setHeader('Content-Type', 'text/html; charset=utf-8');
          const lines = names.map(name => `<a href="${encodeURI(name)}">${name}</a>\n`);
          return void response.end(
            `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join('')}</pre>\n`,
          );
        }
        const content = await files.read(path);
        response.setHeader('Content-Type', 'text/plain; charset=utf-8');
        response.end(content);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        response.writeHead(error.code === 'EACCES' ? 403 : 404, { 'Content-Type': 'text/plain; charset=utf-8' });
        response.end(error.code === 'EACCES' ? '403 Forbidden\n' : '404 page not found\n');
      }
    };
    answer().catch((error: unknown) => {
      logLine(process, (error as Error).message);
      response.destroy();
    });
  });
};

const HEALTHY_MS = 10_000;

/** Healthy for ten seconds. */
export const liveness: Subcommand = async process => {
  const { clock } = process.container;
  const began = clock.monotonic();
  return serveHttp(process, [8080], (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const age = clock.monotonic() - began;
    switch (url.pathname) {
      case '/started':
        return void response.end(formatDuration(age));
      case '/healthz':
        if (age <= HEALTHY_MS) return void response.end('ok');
        response.writeHead(500);
        return void response.end(`error: ${age / 1000}`);
      case '/redirect':
        response.writeHead(302, { Location: url.searchParams.get('loc') ?? '' });
        return void response.end();
      default:
        response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' });
        return void response.end('404 page not found\n');
    }
  });
};

export const fakeGitServer: Subcommand = process =>
  serveHttp(process, [8000], (_request, response) => void response.end('I am a fake git server'));

/** Counts who posts to /write and shows it at /read. Its search for peers finds none. */
export const nettest: Subcommand = async (process, flags) => {
  const { hostname } = process.container;
  const state = {
    Hostname: hostname,
    Sent: null as Record<string, number> | null,
    Received: null as Record<string, number> | null,
    Errors: null as string[] | null,
    Log: null as string[] | null,
    StillContactingPeers: true,
  };
  const peers = flags.number('peers', 8);
  let quit: (code: number) => void = () => undefined;
  const delayMs = flags.number('delay-shutdown', 0) * 1000;
  const until = new Promise<number>((resolve, reject) => {
    quit = resolve;
    nextSignal(process)
      .then(() => process.container.clock.sleep(delayMs, process.signal))
      .then(() => resolve(0), reject);
  });
  const write = (body: string): void => {
    let source = '';
    try {
      source = (JSON.parse(body) as { Source?: string }).Source ?? '';
    } catch (error) {
      (state.Errors ??= []).push((error as Error).message);
    }
    if (source === '') (state.Errors ??= []).push(`${hostname}: Got request with no source`);
    else (state.Received ??= {})[source] = (state.Received[source] ?? 0) + 1;
  };
  return serveHttp(
    process,
    [flags.number('port', 8080)],
    (request, response) => {
      switch ((request.url ?? '/').split('?')[0]) {
        case '/read':
          return void response.end(JSON.stringify(state, null, '\t'));
        case '/write':
          return void readBody(request).then(
            body => {
              write(body.toString('utf8'));
              response.end(`${JSON.stringify({ Hostname: hostname })}\n`);
            },
            () => response.destroy(),
          );
        case '/status': {
          const enough = (map: object | null): boolean => Object.keys(map ?? {}).length >= peers;
          return void response.end(enough(state.Sent) && enough(state.Received) ? 'pass' : 'running');
        }
        case '/quit':
          return quit(0);
        default:
          response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' });
          response.end('404 page not found\n');
      }
    },
    { until },
  );
};
