import type { Probe, ProbeAnswer } from '../../containers/network/probe.js';
import { parseProbeAnswer } from '../../containers/network/probe.js';
import { NetworkError } from '../../containers/network/errors.js';
import type { Addresses, Flow, ProbeOptions } from '../../containers/network/types.js';
import type { Evaluation } from '../../dataplane/kernel/types.js';
import type { Packet } from '../../dataplane/packet.js';
import type { Cable } from '../../machinery/cable.js';
import type { Clock } from '../../machinery/clock.js';
import { type DeliveryOptions, deliveryTarget, type Target } from './delivery.js';
import type { PeerLinks } from './link/peer-links.js';
import { familyLike, NODE_LINK, ofFamily, POD_LINK } from './links.js';
import { refusalOf, type Sockets } from './sockets.js';
import { gatewayOf, isOnNodeLink } from './stack/addressing.js';
import { MAX_TTL } from './wire.js';

type SenderHook = 'prerouting' | 'output';
export type SentProbe = Probe & { readonly src: string };

export interface ProbingOptions extends DeliveryOptions {
  readonly clock: Clock;
  readonly nodeAddresses: Addresses;
  readonly hostGateways: Addresses;
  readonly links: Pick<PeerLinks, 'open'>;
  readonly cable?: Cable | undefined;
}

/** Takes packets that ask who is there through the rules and routes of the node, as `Forwarding` takes those of connections. */
export interface Probing {
  /** Undefined: nobody answers; at once, however long one would wait. @throws NetworkError ENETUNREACH */
  send(probe: SentProbe, hook: SenderHook, options: ProbeOptions): Promise<ProbeAnswer | undefined>;
}

/** What Linux gives what it sends. */
const FIRST_TTL = 64;
/** As long as a node asks for somebody's hardware address. */
const NEIGHBOUR_MS = 3_000;
const IP_HEADER = 20;
const PEER_GRACE_MS = 1_000;

export function createProbing(options: ProbingOptions): Probing {
  const { kernels, clock, nodeAddresses, hostGateways, links, cable, pods, nodeSockets } = options;

  const send: Probing['send'] = async (probe, hook, given) => {
    const { src, dst, dstPort, protocol } = probe;
    const family = familyLike(dst);
    const kernel = kernels[family];
    const inLink = hook === 'output' ? undefined : pods.has(src) ? POD_LINK : NODE_LINK;
    const packet: Packet = {
      protocol: protocol !== 'icmp' ? protocol : family === 'IPv4' ? 'icmp' : 'ipv6-icmp',
      src,
      srcPort: protocol === 'icmp' ? 0 : PROBE_PORT,
      dst,
      dstPort,
      mark: 0,
      size: IP_HEADER + probe.size,
      ...(inLink === undefined ? {} : { inInterface: inLink }),
      ...(protocol === 'tcp' ? { flags: 'syn' as const } : {}),
    };
    const passed = kernel.evaluate(packet, { hook });
    /** Who speaks for this node to whoever has sent it. */
    const self = (inLink === POD_LINK ? gatewayOf(kernel.routes) : undefined) ?? ofFamily(nodeAddresses, family) ?? src;
    if (passed.verdict === 'drop') return undefined;
    if (passed.verdict === 'reject') return rejection(passed, hook, probe, self);
    const out: Flow = {
      proto: protocol === 'icmp' ? 'udp' : protocol,
      src: passed.packet.src,
      srcPort: passed.packet.srcPort,
      dst: passed.packet.dst,
      dstPort: passed.packet.dstPort,
    };
    if (passed.delivery === 'local') return answerOf(nodeSockets, probe, out, FIRST_TTL);
    const bridged = inLink === POD_LINK && kernel.routes.lookup(out.dst)?.link === POD_LINK;
    const forwards = hook === 'prerouting' && !bridged;
    if (forwards && probe.ttl <= 1) return { kind: 'expired', from: self, ttl: FIRST_TTL };
    const ttl = probe.ttl - (forwards ? 1 : 0);
    let target: Target;
    try {
      target = deliveryTarget(out, options);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      return nowhere(out, ttl, self, probe, given);
    }
    if (target.kind !== 'sockets' && cable?.plugged === false) return undefined;
    const answer = await reach(target, probe, out, ttl, given, forwards);
    if (answer?.kind === 'echo' || answer?.kind === 'open') back(out, packet.protocol, passed);
    return answer;
  };

  /** The way back: counted, and the flow is known to be answered. */
  const back = (out: Flow, protocol: Packet['protocol'], { packet }: Evaluation): void => {
    const { outInterface } = packet;
    kernels[familyLike(out.dst)].evaluate(
      {
        protocol,
        src: out.dst,
        srcPort: out.dstPort,
        dst: out.src,
        dstPort: out.srcPort,
        mark: 0,
        size: packet.size,
        ...(outInterface === undefined ? {} : { inInterface: outInterface }),
        ...(protocol === 'tcp' ? { flags: 'synack' as const } : {}),
      },
      { hook: 'prerouting' },
    );
  };

  const reach = async (
    target: Target,
    probe: SentProbe,
    out: Flow,
    ttl: number,
    { timeoutMs, signal }: ProbeOptions,
    forwards: boolean,
  ): Promise<ProbeAnswer | undefined> => {
    // The node that forwards the question forwards the answer.
    const left = FIRST_TTL - (forwards ? 1 : 0);
    switch (target.kind) {
      case 'sockets':
        return answerOf(target.sockets, probe, out, left);
      case 'host':
        return probe.protocol === 'icmp'
          ? { kind: 'echo', from: probe.dst, ttl: left }
          : probe.protocol === 'udp'
            ? { kind: 'unreachable', what: 'port', from: probe.dst, ttl: left }
            : undefined;
      case 'peer': {
        const wire = {
          flow: { ...out, proto: 'udp' as const },
          ttl: Math.min(ttl, MAX_TTL),
          trace: false,
          timeoutMs,
          probe: { protocol: probe.protocol, size: probe.size },
        };
        try {
          const { body } = await links.open(target.at, wire, { signal, waitMs: timeoutMs + PEER_GRACE_MS });
          const answer = body === undefined ? undefined : parseProbeAnswer(JSON.parse(body.toString('utf8')));
          if (answer === undefined) return undefined;
          // What the other end says of itself comes from the address that was asked.
          const from = answer.from === out.dst ? probe.dst : answer.from;
          return { ...answer, from, ttl: answer.ttl - (forwards ? 1 : 0) };
        } catch (error) {
          if (error instanceof NetworkError || error instanceof SyntaxError) return undefined;
          throw error;
        }
      }
    }
  };

  /** Nobody has the address. */
  const nowhere = async (
    { dst }: Flow,
    ttl: number,
    self: string,
    probe: SentProbe,
    { timeoutMs, signal }: ProbeOptions,
  ): Promise<ProbeAnswer | undefined> => {
    const family = familyLike(dst);
    const { routes } = kernels[family];
    const link = routes.lookup(dst)?.link;
    if (link === POD_LINK && dst === gatewayOf(routes)) {
      if (probe.protocol === 'icmp') return { kind: 'echo', from: probe.dst, ttl: FIRST_TTL };
      return probe.protocol === 'udp'
        ? { kind: 'unreachable', what: 'port', from: probe.dst, ttl: FIRST_TTL }
        : { kind: 'refused', from: probe.dst, ttl: FIRST_TTL };
    }
    if (link === POD_LINK || isOnNodeLink(dst, nodeAddresses)) {
      if (timeoutMs <= NEIGHBOUR_MS) return undefined;
      await clock.sleep(NEIGHBOUR_MS, signal);
      return { kind: 'unreachable', what: 'host', from: self, ttl: FIRST_TTL };
    }
    // It leaves by the default route, for the machine outside, which knows no way either.
    const gateway = ofFamily(hostGateways, family);
    return ttl <= 1 && gateway !== undefined ? { kind: 'expired', from: gateway, ttl: FIRST_TTL - 1 } : undefined;
  };

  return { send };
}

/** Where traceroute's packets come from. */
export const PROBE_PORT = 33_433;

function rejection(
  { rejectWith = '' }: Evaluation,
  hook: SenderHook,
  probe: SentProbe,
  from: string,
): ProbeAnswer | undefined {
  const end = { from, ttl: FIRST_TTL };
  if (rejectWith === 'tcp-reset') return { kind: 'refused', from: probe.dst, ttl: FIRST_TTL };
  if (rejectWith.includes('net-unreachable') || rejectWith.includes('no-route')) {
    if (hook === 'output') throw new NetworkError('ENETUNREACH');
    return { kind: 'unreachable', what: 'net', ...end };
  }
  if (rejectWith.includes('host')) return { kind: 'unreachable', what: 'host', ...end };
  if (rejectWith.includes('adm')) return { kind: 'unreachable', what: 'admin', ...end };
  return { kind: 'unreachable', what: 'port', ...end };
}

/** What a network namespace answers. */
export function answerOf(sockets: Sockets, probe: SentProbe, out: Flow, ttl: number): ProbeAnswer | undefined {
  const from = probe.dst;
  const { wire } = sockets;
  switch (probe.protocol) {
    case 'icmp': {
      const { id = 0, seq = 0, size } = probe;
      wire?.met(out.src);
      wire?.icmp('eth0', 'in', out.src, out.dst, ttl, { kind: 'echo-request', id, seq }, size);
      wire?.icmp('eth0', 'out', out.dst, out.src, FIRST_TTL, { kind: 'echo-reply', id, seq }, size);
      return { kind: 'echo', from, ttl };
    }
    case 'udp':
      if (sockets.isTaken('udp', out.dstPort)) return undefined;
      wire?.icmp('eth0', 'out', out.dst, out.src, FIRST_TTL, refusalOf(out), 36);
      return { kind: 'unreachable', what: 'port', from, ttl };
    case 'tcp':
      return { kind: sockets.isTaken('tcp', out.dstPort) ? 'open' : 'refused', from, ttl };
    default:
      return probe.protocol satisfies never;
  }
}
