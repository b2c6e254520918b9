import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Container, DeepReadonly } from '../../machinery/types.js';
import { createAnyProtocolServer } from '../images/any-protocol-server.js';
import { answerEcho } from '../images/echo.js';
import { untilStopped } from '../images/http-server.js';
import { portsOf, USUAL_PORT } from '../images/unknown.js';
import { NetworkError } from '../network/errors.js';
import type { Process, Program } from '../process.js';
import type { Behaviour } from './settings.js';
import type { Port } from './values.js';

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

/** Whether a server is to run in the place of what the container would run. */
export const isToldToServe = ({ ports, responseStatus, responseBody, responseDelay }: Behaviour): boolean =>
  [ports, responseStatus, responseBody, responseDelay].some(said => said !== undefined);

/** Where it listens: on what it is told, or on the ports of its Pod and of its probes. */
export function toldPorts({ ports }: Behaviour, spec: DeepReadonly<Container>): readonly Port[] {
  if (ports !== undefined) return ports;
  const { tcp, udp, sctp } = portsOf(spec);
  const found = [
    ...tcp.map(port => ({ port, protocol: 'tcp' as const })),
    ...udp.map(port => ({ port, protocol: 'udp' as const })),
    ...sctp.map(port => ({ port, protocol: 'sctp' as const })),
  ];
  return found.length > 0 ? found : [{ port: USUAL_PORT, protocol: 'tcp' }];
}

/**
 * Serves as it is told until a signal ends it: HTTP, HTTPS and gRPC's health check on TCP ports, what comes on others goes
 * back. A port that is taken is exit status 1 and a line on stderr.
 */
export const toldServer =
  (behaviour: Behaviour, spec: DeepReadonly<Container>): Program =>
  async process => {
    const { container, stderr } = process;
    const { network } = container;
    const server = createAnyProtocolServer(
      (request, response) => void answer(behaviour, process, request, response),
      container.hostname,
      container.clock.now(),
    );
    const closers: (() => void)[] = [];
    try {
      for (const { port, protocol } of toldPorts(behaviour, spec)) {
        if (protocol === 'udp') closers.push(network.listenUdp(port, payload => payload));
        else if (protocol === 'sctp')
          closers.push(network.listen(port, stream => void stream.pipe(stream), { protocol: 'sctp' }));
        else closers.push(network.listen(port, stream => server.accept(stream)));
      }
      return await untilStopped(process);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      await stderr.write(`bind: ${error.text.toLowerCase()} ${error.detail}\n`);
      return 1;
    } finally {
      for (const close of closers) close();
      server.close();
    }
  };

async function answer(
  behaviour: Behaviour,
  process: Process,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { responseDelay = 0, responseStatus = 200, responseType = 'text/plain; charset=utf-8' } = behaviour;
  if (responseDelay > 0 && !(await waited(process, response, responseDelay))) return;
  if (behaviour.responseStatus === undefined && behaviour.responseBody === undefined)
    return answerEcho(request, response, process);
  const body = behaviour.responseBody ?? `${responseStatus} ${STATUS_CODES[responseStatus] ?? ''}\n`;
  request.resume();
  if (WITHOUT_BODY.has(responseStatus)) response.writeHead(responseStatus).end();
  else {
    response.writeHead(responseStatus, { 'Content-Type': responseType, 'Content-Length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

/** False: the client, or the server, is gone meanwhile. */
async function waited(
  { container: { clock }, signal }: Process,
  response: ServerResponse,
  ms: number,
): Promise<boolean> {
  const gone = new AbortController();
  const end = (): void => gone.abort();
  response.once('close', end);
  signal.addEventListener('abort', end, { once: true });
  try {
    await clock.sleep(ms, gone.signal);
    return true;
  } catch (error) {
    if (!gone.signal.aborted) throw error;
    return false;
  } finally {
    signal.removeEventListener('abort', end);
  }
}
