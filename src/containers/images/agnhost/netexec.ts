import { joinHostPort } from '../../../machinery/ip.js';
import type { NetStream } from '../../network/types.js';
import type { Process } from '../../process.js';
import { readKeyPair } from './tls-files.js';
import { nextSignal, serveHttp } from '../http-server.js';
import { logLine, type Subcommand } from './command.js';
import { readBody } from './http.js';
import type { Server } from './netexec-parts/handler.js';
import { HANDLERS } from './netexec-parts/handlers.js';

/** HTTP on --http-port (8080), with TLS given --tls-cert-file, UDP on --udp-port (8081, -1 for none), SCTP on --sctp-port. */
export const netexec: Subcommand = async (process, flags) => {
  const { container } = process;
  const httpPort = flags.number('http-port', 8080);
  const udpPort = flags.number('udp-port', 8081);
  const sctpPort = flags.number('sctp-port', -1);
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
          return answer(process, 'UDP', text, { client: `${client.address}:${client.port}`, port: udpPort });
        });
  if (closeUdp !== undefined) {
    logLine(process, `Started UDP server on port  ${udpPort}`);
    ready = true;
  }
  const closeSctp = sctpPort === -1 ? undefined : serveSctp(process, sctpPort);
  if (closeSctp !== undefined) ready = true;
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
    closeSctp?.();
  }
};

interface AskedBy {
  readonly client: string;
  /** The server's own. */
  readonly port: number;
}

/** What UDP and SCTP understand: hostname, echo, clientip and serverport. */
function answer(process: Process, protocol: string, text: string, { client, port }: AskedBy): Buffer | undefined {
  if (text === 'hostname') return Buffer.from(process.container.hostname);
  if (text === 'clientip') return Buffer.from(client);
  if (text === 'serverport') return Buffer.from(String(port));
  if (text.startsWith('echo ')) return Buffer.from(text.slice(5));
  if (text !== '') logLine(process, `Unknown ${protocol} command received from ${client}: ${text}`);
  return undefined;
}

const MAX_COMMAND = 1024;

/** One message each way, then the association ends. */
function serveSctp(process: Process, port: number): () => void {
  const serve = (association: NetStream): void => {
    const { remoteAddress = '', remotePort = 0 } = association;
    association.once('data', (message: Buffer) => {
      const text = message.subarray(0, MAX_COMMAND).toString('utf8').trim().toLowerCase();
      const reply = answer(process, 'SCTP', text, { client: joinHostPort(remoteAddress, remotePort), port });
      if (reply === undefined) association.end();
      else association.end(reply);
    });
  };
  const close = process.container.network.listen(port, serve, { protocol: 'sctp' });
  logLine(process, 'Started SCTP server');
  return close;
}
