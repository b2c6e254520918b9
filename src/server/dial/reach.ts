import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../machinery/clock.js';
import { parseCidr } from '../../machinery/cidr.js';
import { canonicalIP, joinHostPort } from '../../machinery/ip.js';
import { StatusError } from '../../machinery/status.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import type { Objects } from '../../api/strategy.js';
import { DialError, transportProblem } from './dial-problem.js';
import type { OwnEndpoint } from './kubelet-address.js';
import type { KubeletConnection } from './kubelet-connection.js';
import { resolveService, type Endpoint } from './resolve-service.js';
import type { AddressTarget, DialTarget } from './types.js';

/** Upstream's net.Dialer. */
const DIAL_TIMEOUT_MS = 30_000;
const LOOPBACK = '127.0.0.1';

export interface ReachOptions {
  readonly objects: Pick<Objects, 'get' | 'list'>;
  readonly kubelet: KubeletConnection;
  readonly clock: Clock;
  /** A number in [0, n). */
  readonly random: (n: number) => number;
  /** Addresses under which Pods know this machine. */
  readonly machine: readonly string[];
  /** Where this server listens. */
  readonly own: () => OwnEndpoint;
}

const isLocalAddress = (address: string): boolean =>
  Object.values(networkInterfaces()).some(all => all?.some(local => local.address === address) === true);

/** A TCP connection of this machine. @throws DialError, or the signal's reason */
function dialHost(host: string, port: number, shown: string, options: Deadline): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port, noDelay: true, autoSelectFamily: true });
    const fail = (reason: Error): void => {
      settled();
      socket.destroy();
      reject(reason);
    };
    const settled = begin(options, shown, fail);
    socket.once('connect', () => {
      settled();
      resolve(socket);
    });
    // Stays: what goes wrong later shows in what is read.
    socket.on('error', error => fail(transportProblem(error, shown)));
  });
}

interface Deadline {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Calls `fail` when the signal aborts or it takes too long. The returned function ends both. */
function begin({ clock, signal }: Deadline, shown: string, fail: (reason: Error) => void): () => void {
  const abort = (): void => fail(signal.reason as Error);
  const cancel = clock.after(DIAL_TIMEOUT_MS, () => fail(new DialError(`dial tcp ${shown}: i/o timeout`)));
  if (signal.aborted) queueMicrotask(abort);
  else signal.addEventListener('abort', abort, { once: true });
  return () => {
    cancel();
    signal.removeEventListener('abort', abort);
  };
}

/** The node from which an address of the cluster's network is reached; undefined: it is none of that network. */
function nodeOf(objects: ReachOptions['objects'], { address, node }: Endpoint): string | undefined {
  if (node !== undefined && objects.get('nodes', { namespace: '', name: node }) !== undefined) return node;
  for (const object of objects.list('nodes')) {
    const { metadata, spec, status } = object as DeepReadonly<Node>;
    const isOwn = status?.addresses?.some(a => a.address === address) === true;
    const isPods = spec?.podCIDRs?.some(text => parseCidr(text)?.contains(address) === true) === true;
    if (isOwn || isPods) return metadata.name;
  }
  return undefined;
}

/** Connections to targets. */
export function createReach(options: ReachOptions): (target: DialTarget, signal: AbortSignal) => Promise<Duplex> {
  const { objects, kubelet, clock, random, machine, own } = options;

  /** From a node: what agents of nodes say is in upstream's words already. */
  const fromNode = async (target: Omit<AddressTarget, 'kind'>, signal: AbortSignal): Promise<Duplex> => {
    const { node, address, port, asked, own } = target;
    const expiry = new AbortController();
    const shown = joinHostPort(address, port);
    const settled = begin({ clock, signal }, shown, reason => expiry.abort(reason));
    try {
      return await kubelet.dial(node, { address, port, asked, own, signal: expiry.signal });
    } finally {
      settled();
    }
  };

  const toEndpoint = async (endpoint: Endpoint, shown: string, signal: AbortSignal): Promise<Duplex> => {
    const address = canonicalIP(endpoint.address) ?? endpoint.address;
    if (machine.includes(address) && !isLocalAddress(address))
      return dialHost(LOOPBACK, endpoint.port, shown, { clock, signal });
    const node = nodeOf(objects, { ...endpoint, address });
    if (node === undefined) return dialHost(address, endpoint.port, shown, { clock, signal });
    try {
      return await fromNode({ node, address, port: endpoint.port, asked: 'nodes', own: own() }, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // The client of a Service knows no address but the Service's.
      const text = error instanceof StatusError ? 'connect: no route to host' : problemOf(error as Error);
      throw new DialError(`dial tcp ${shown}: ${text}`);
    }
  };

  return async (target, signal) => {
    signal.throwIfAborted();
    switch (target.kind) {
      case 'host':
        return dialHost(target.host, target.port, joinHostPort(target.host, target.port), { clock, signal });
      case 'address':
        return fromNode(target, signal);
      case 'service': {
        const destination = resolve(objects, target);
        if (destination.kind === 'external') {
          const { host, port } = destination;
          return dialHost(host, port, joinHostPort(host, port), { clock, signal });
        }
        const { endpoints, shown } = destination;
        const chosen = endpoints.length === 0 ? undefined : endpoints[random(endpoints.length)];
        // As kube-proxy rejects what nobody serves.
        if (chosen === undefined) throw new DialError(`dial tcp ${shown}: connect: connection refused`);
        return toEndpoint(chosen, shown, signal);
      }
    }
  };
}

/** What an error says beside the address. */
const problemOf = ({ message }: Error): string => /^dial tcp \S+: (.*)$/s.exec(message)?.[1] ?? message;

function resolve(objects: ReachOptions['objects'], target: Extract<DialTarget, { kind: 'service' }>) {
  const { namespace, name, port } = target;
  try {
    return resolveService(objects, { namespace, name }, port);
  } catch (error) {
    throw error instanceof StatusError ? new DialError(error.message) : error;
  }
}
