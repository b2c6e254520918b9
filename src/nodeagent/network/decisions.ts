import type { Connection } from '../../dataplane/kernel/types.js';
import { printTrace } from '../../dataplane/tools/trace-text.js';
import type { Cable } from '../../machinery/cable.js';
import type { Clock } from '../../machinery/clock.js';
import { joinHostPort } from '../../machinery/ip.js';
import { ASTRAY, DROPPED, NetworkError, toNetworkError } from '../../containers/network/errors.js';
import type { ConnectOptions, Flow, ForwardOptions } from '../../containers/network/types.js';
import type { Wire } from './capture/wire.js';
import { type DeliveryOptions, deliveryTarget, type Target } from './delivery.js';
import { familyLike, NODE_LINK, POD_LINK } from './links.js';
import { MAX_TTL } from './wire.js';

/** Where a packet enters the node's rules. */
export type SenderHook = 'prerouting' | 'output';

export interface DecisionOptions extends DeliveryOptions {
  readonly clock: Clock;
  /** The node's way to all that is not on it; undefined: nobody pulls it. */
  readonly cable?: Cable | undefined;
  /** Called with each first packet of a connection. */
  readonly onPacket?: (() => void) | undefined;
  /** The node's own interfaces. */
  readonly wire?: Wire | undefined;
}

/** What became of a first packet: where it goes, and as what. */
export interface Decision {
  readonly connection: Connection;
  readonly out: Flow;
  readonly target: Target;
  /** What is left of its time to live. */
  readonly ttl: number;
}

export const show = (flow: Flow): string => joinHostPort(flow.dst, flow.dstPort);

/** What a node does with a packet: its rules, its routes, and what nobody will ever answer. */
export function createDecisions(options: DecisionOptions) {
  const { nodeName, kernels, clock, cable, pods, onPacket, wire } = options;

  const lost = async (detail: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<never> => {
    await clock.sleep(timeoutMs, signal);
    throw new NetworkError('ETIMEDOUT', detail);
  };

  const observeFilter = (
    connection: Pick<Connection, 'verdict' | 'packet' | 'trace'>,
    flow: Flow,
    hook: SenderHook,
    direction: 'request' | 'reply',
    observe: ConnectOptions['observe'],
  ): Flow => {
    const { packet, verdict, trace } = connection;
    const out = {
      proto: flow.proto,
      src: packet.src,
      srcPort: packet.srcPort,
      dst: packet.dst,
      dstPort: packet.dstPort,
    };
    observe?.({
      kind: 'netfilter',
      node: nodeName,
      direction,
      hook,
      in: flow,
      out,
      verdict,
      rules: printTrace(trace, familyLike(flow.dst)),
    });
    return out;
  };

  const route = (flow: Flow): Target => deliveryTarget(flow, options);

  /**
   * Who answers from another machine sends to the client, not to the nodes that the request came by. Where this node has
   * changed only the destination, the client is told from an address that it has not asked, and knows nothing of it.
   */
  const isAnsweredAstray = (flow: Flow, out: Flow, target: Target): boolean => {
    if (target.kind === 'sockets' || (out.dst === flow.dst && out.dstPort === flow.dstPort)) return false;
    const way = kernels[familyLike(out.src)].routes.lookup(out.src);
    return way?.local !== true && way?.link !== POD_LINK;
  };

  /** Whoever watches learns at once, also from another node, what a client finds out after a long silence. */
  const silence = async (
    detail: string,
    message: string,
    timeoutMs: number,
    { observe, signal }: ForwardOptions,
  ): Promise<never> => {
    if (observe === undefined) return lost(detail, timeoutMs, signal);
    observe({ kind: 'fail', node: nodeName, code: 'ETIMEDOUT', message });
    throw new NetworkError('ETIMEDOUT', detail);
  };
  const isCutOff = ({ kind }: Target): boolean => kind !== 'sockets' && cable?.plugged === false;
  const cutOff = (timeoutMs: number, options: ForwardOptions): Promise<never> =>
    silence('no answer', `node ${nodeName} is cut off from its network`, timeoutMs, options);
  const astray = (flow: Flow, out: Flow, timeoutMs: number, options: ForwardOptions): Promise<never> =>
    silence(
      ASTRAY,
      `${show(out)} answers ${out.src} past this node, which has sent there what was for ${show(flow)}: no answer will be known`,
      timeoutMs,
      options,
    );

  /** Runs a first packet through this node's rules and routing. @throws NetworkError */
  const decide = async (
    flow: Flow,
    hook: SenderHook,
    timeoutMs: number,
    options: ForwardOptions,
  ): Promise<Decision> => {
    const { observe, random, ttl = MAX_TTL } = options;
    const fail = (error: NetworkError): never => {
      observe?.({ kind: 'fail', node: nodeName, code: error.code, message: error.message });
      throw error;
    };
    onPacket?.();
    if (ttl <= 0) fail(new NetworkError('EHOSTUNREACH', 'time to live exceeded'));
    const inInterface = hook === 'output' ? {} : { inInterface: pods.has(flow.src) ? POD_LINK : NODE_LINK };
    const connection = kernels[familyLike(flow.dst)].connect({
      ...flow,
      hook,
      ...inInterface,
      ...(random === undefined ? {} : { random }),
    });
    const out = observeFilter(connection, flow, hook, 'request', observe);
    wire?.met(flow.src);
    wire?.met(out.dst);
    if (connection.verdict === 'reject')
      fail(new NetworkError('ECONNREFUSED', `rejected with ${connection.rejectWith ?? 'icmp-port-unreachable'}`));
    if (connection.verdict === 'drop') return silence(DROPPED, 'dropped: no answer will come', timeoutMs, options);
    try {
      const target = route(out);
      const via =
        target.kind === 'sockets'
          ? target.sockets.owner
          : target.kind === 'host'
            ? 'the host'
            : `node ${target.nodeName}`;
      observe?.({ kind: 'route', node: nodeName, destination: out.dst, via });
      return { connection, out, target, ttl: ttl - 1 };
    } catch (error) {
      connection.close();
      return fail(toNetworkError(error));
    }
  };

  /** The way back: counted and traced like the way out. */
  const answer = (connection: Connection, out: Flow, hook: SenderHook, observe: ConnectOptions['observe']): void => {
    const back = { proto: out.proto, src: out.dst, srcPort: out.dstPort, dst: out.src, dstPort: out.srcPort };
    observeFilter(connection.reply(), back, hook, 'reply', observe);
  };

  return { lost, decide, answer, isAnsweredAstray, astray, isCutOff, cutOff };
}
