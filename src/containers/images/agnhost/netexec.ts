import { readKeyPair } from './tls-files.js';
import { nextSignal, serveHttp } from '../http-server.js';
import { logLine, type Subcommand } from './command.js';
import { readBody } from './http.js';
import type { Server } from './netexec-parts/handler.js';
import { HANDLERS } from './netexec-parts/handlers.js';

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
          await (HANDLERS[url.pathname] ?? HANDLERS['/'])?.(server, request, response, form);
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
