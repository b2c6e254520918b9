/** A packet that is sent to see who answers: ping's echo request, or what traceroute sends to a port nobody listens on. */
export interface Probe {
  readonly protocol: 'icmp' | 'udp' | 'tcp';
  readonly dst: string;
  /** 0 of ICMP. */
  readonly dstPort: number;
  /** Times it may be forwarded, and once more. */
  readonly ttl: number;
  /** Bytes behind the IP header. */
  readonly size: number;
  /** ICMP only: whose, and which of them. */
  readonly id?: number;
  readonly seq?: number;
}

export type ProbeAnswer =
  /** `ttl`: what is left of the answer's. */
  | { readonly kind: 'echo'; readonly from: string; readonly ttl: number }
  /** TCP: somebody listens, or refuses. */
  | { readonly kind: 'open' | 'refused'; readonly from: string; readonly ttl: number }
  | { readonly kind: 'expired'; readonly from: string; readonly ttl: number }
  | {
      readonly kind: 'unreachable';
      readonly what: 'net' | 'host' | 'port' | 'admin';
      readonly from: string;
      readonly ttl: number;
    };

const UNREACHABLE = ['net', 'host', 'port', 'admin'];

/** What another agent says that came back. Undefined: it is no answer. */
export function parseProbeAnswer(value: unknown): ProbeAnswer | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, from, ttl, what } = value as Record<string, unknown>;
  if (typeof from !== 'string' || from.length > 45 || !Number.isInteger(ttl)) return undefined;
  const end = { from, ttl: Math.min(255, Math.max(0, Number(ttl))) };
  switch (kind) {
    case 'echo':
    case 'open':
    case 'refused':
    case 'expired':
      return { kind, ...end };
    case 'unreachable':
      return UNREACHABLE.includes(what as string)
        ? { kind, what: what as 'net' | 'host' | 'port' | 'admin', ...end }
        : undefined;
    default:
      return undefined;
  }
}
