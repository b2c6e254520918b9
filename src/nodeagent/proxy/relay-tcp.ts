import type { Duplex } from 'node:stream';
import type { RelayPort } from '../../dataplane/proxiers/types.js';
import { joinHostPort } from '../../machinery/ip.js';
import type { Logger } from '../../machinery/logger.js';
import { NetworkError, toNetworkError } from '../../containers/network/errors.js';
import type { ConnectionTrace, NetNamespace, NetStream, Observe } from '../../containers/network/types.js';

/** What a connection is relayed to, and from where. */
export interface RelayTarget extends Pick<RelayPort, 'service' | 'next'> {
  readonly nodeName: string;
  readonly network: Pick<NetNamespace, 'connect'>;
  readonly log: Logger;
}

/** Each try asks for another endpoint, and waits longer for it. */
const DIAL_TIMEOUTS_MS = [250, 500, 1000, 2000];

/** Connects an accepted stream to an endpoint, or closes it when none answers. */
export function relayTcp(target: RelayTarget, stream: NetStream, trace: ConnectionTrace | undefined): void {
  const gone = new AbortController();
  stream.once('close', () => gone.abort(new NetworkError('ECONNRESET', 'the client is gone')));
  const done = dial(target, stream.remoteAddress ?? '', gone.signal, trace?.observe).then(
    endpoint => {
      if (endpoint === undefined) closeSoon(stream);
      else if (stream.destroyed) endpoint.destroy();
      else relayBetween(stream, endpoint);
    },
    (error: unknown) => {
      target.log.error({ err: error, service: target.service }, 'a connection could not be relayed');
      stream.destroy();
    },
  );
  trace?.waitFor(done);
}

/** Undefined: no endpoint answers, or the client is gone. */
async function dial(
  { nodeName: node, network, service, next, log }: RelayTarget,
  client: string,
  signal: AbortSignal,
  observe: Observe | undefined,
): Promise<NetStream | undefined> {
  let again = false;
  for (const timeoutMs of DIAL_TIMEOUTS_MS) {
    const choice = next(client, again);
    if (choice === undefined) break;
    const { ip, port, why } = choice;
    const endpoint = joinHostPort(ip, port);
    observe?.({ kind: 'relay', node, service, endpoint, why: again ? `${why}, as the one before failed` : why });
    try {
      const traced = observe === undefined ? {} : { observe };
      return await network.connect({ address: ip, port }, { timeoutMs, signal, ...traced });
    } catch (error) {
      if (signal.aborted) return undefined;
      log.info({ service, endpoint, error: toNetworkError(error).message }, 'an endpoint does not answer');
      again = true;
    }
  }
  const message = again ? 'no endpoint answers: the proxy closes the connection' : `${service} has no endpoints`;
  observe?.({ kind: 'fail', node, code: 'ECONNRESET', message });
  return undefined;
}

/** As kube-proxy did it: when one side has said all, both are closed. Nobody can half-close through it. */
function relayBetween(a: NetStream, b: NetStream): void {
  const copy = (from: Duplex, to: Duplex): void => {
    from.on('error', () => to.destroy());
    from.on('close', () => closeSoon(to));
    from.on('end', () => {
      closeSoon(to);
      closeSoon(from);
    });
    from.pipe(to, { end: false });
  };
  copy(a, b);
  copy(b, a);
}

/** What was written is sent; what still comes is not read. */
function closeSoon(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream.writableFinished) stream.destroy();
  else if (stream.writableEnded) stream.once('finish', () => stream.destroy());
  else stream.end(() => stream.destroy());
}
