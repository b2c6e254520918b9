import { isIP } from 'node:net';
import { isNetworkErrorCode, type NetworkErrorCode } from '../../containers/network/errors.js';
import type { Probe } from '../../containers/network/probe.js';
import type { Flow, NetworkStep } from '../../containers/network/types.js';

/** What agents say to each other about a packet; frames of a link carry it (link/frames.ts), and the datagram beside it. */
export interface WirePacket {
  readonly flow: Flow;
  /** Times it may still be forwarded, as IP's TTL. */
  readonly ttl: number;
  /** The receiver reports its steps. */
  readonly trace: boolean;
  readonly timeoutMs: number;
  /** It only asks who is there: the answer is JSON, a ProbeAnswer. */
  readonly probe?: Pick<Probe, 'protocol' | 'size'>;
}

export interface WireVerdict {
  readonly error?: { readonly code: NetworkErrorCode; readonly detail: string };
  readonly steps: readonly NetworkStep[];
  /** TCP: the stream is open. UDP: a datagram came back. */
  readonly answered: boolean;
}

/** More than a packet's way through any two nodes needs; a larger number is a loop. */
export const MAX_TTL = 8;
/** tcp_syn_retries = 6: 127 s until connect(2) gives up, and nobody waits longer. */
export const TCP_CONNECT_TIMEOUT_MS = 127_000;
export const UDP_TIMEOUT_MS = 5_000;

const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isAddress = (value: unknown): value is string => typeof value === 'string' && isIP(value) !== 0;

const isProbe = (value: unknown): value is NonNullable<WirePacket['probe']> =>
  isRecord(value) &&
  (value['protocol'] === 'icmp' || value['protocol'] === 'udp' || value['protocol'] === 'tcp') &&
  Number.isInteger(value['size']) &&
  Number(value['size']) >= 0 &&
  Number(value['size']) <= 65_535;

/** Checks what came over the wire and keeps nothing else of it. Undefined: it is no packet. */
export function parsePacket(value: unknown): WirePacket | undefined {
  const { flow, ttl, trace, timeoutMs, probe } = isRecord(value) ? value : {};
  const valid =
    isRecord(flow) &&
    (flow['proto'] === 'tcp' || flow['proto'] === 'udp' || flow['proto'] === 'sctp') &&
    isAddress(flow['src']) &&
    isAddress(flow['dst']) &&
    isIP(flow['src']) === isIP(flow['dst']) &&
    isPort(flow['srcPort']) &&
    isPort(flow['dstPort']) &&
    Number.isInteger(ttl) &&
    Number(ttl) >= 0 &&
    Number(ttl) <= MAX_TTL &&
    Number.isFinite(timeoutMs) &&
    Number(timeoutMs) >= 0 &&
    (probe === undefined || isProbe(probe));
  if (!valid) return undefined;
  const { proto, src, srcPort, dst, dstPort } = flow as unknown as Flow;
  return {
    flow: { proto, src, srcPort, dst, dstPort },
    ttl: Number(ttl),
    trace: trace === true,
    timeoutMs: Math.min(Number(timeoutMs), TCP_CONNECT_TIMEOUT_MS),
    ...(isProbe(probe) ? { probe: { protocol: probe.protocol, size: probe.size } } : {}),
  };
}

/** Any agent may be the one that answers, also one that is not ours. Undefined: it is no verdict. */
export function parseVerdict(value: unknown): WireVerdict | undefined {
  const { error, steps, answered } = isRecord(value) ? value : {};
  const failure = isRecord(error) ? { code: error['code'], detail: error['detail'] } : undefined;
  const valid =
    Array.isArray(steps) &&
    steps.every(isRecord) &&
    typeof answered === 'boolean' &&
    (error === undefined ||
      (failure !== undefined && isNetworkErrorCode(failure.code) && typeof failure.detail === 'string'));
  if (!valid) return undefined;
  return {
    steps: steps as NetworkStep[],
    answered,
    ...(failure === undefined ? {} : { error: failure as { code: NetworkErrorCode; detail: string } }),
  };
}
