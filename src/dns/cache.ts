import type { Clock } from '../machinery/clock.js';
import { DNSSEC_OK } from './edns.js';
import type { Forward } from './forward.js';
import { OPCODE, type Query } from './message.js';
import { type Answer, AXFR, IXFR, RCODE } from './records.js';
import { timeToLive, withOneTtl } from './shape.js';

export type CacheKind = 'success' | 'denial';

export interface CacheMetrics {
  /** Undefined: it had to be asked for. */
  looked(hit: CacheKind | undefined): void;
  kept(kind: CacheKind, entries: number): void;
}

interface Entry {
  readonly answer: Answer;
  readonly kind: CacheKind;
  /** Monotonic milliseconds. */
  readonly stored: number;
  readonly ttl: number;
}

/** CoreDNS's; of each kind. */
export const MAX_ENTRIES = 9984;

/** CoreDNS's "cache 30", before an upstream server. What is the cluster's own is never cached: kubeadm turns it off. */
export function createCache(forward: Forward, clock: Clock, metrics?: CacheMetrics): Forward {
  const entries = { success: new Map<string, Entry>(), denial: new Map<string, Entry>() };

  function keep(key: string, entry: Entry): void {
    const kept = entries[entry.kind];
    kept.delete(key);
    const [oldest] = kept.size >= MAX_ENTRIES ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(key, entry);
    metrics?.kept(entry.kind, kept.size);
  }

  function find(key: string, query: Query): Answer | undefined {
    for (const kind of ['denial', 'success'] as const) {
      const entry = entries[kind].get(key);
      const left = entry === undefined ? 0 : entry.ttl - Math.floor((clock.monotonic() - entry.stored) / 1000);
      if (entry === undefined || left <= 0) continue;
      metrics?.looked(kind);
      // Upstream: some old resolvers believe nothing else.
      return forClient({ ...withOneTtl(entry.answer, left), authoritative: true }, query);
    }
    metrics?.looked(undefined);
    return undefined;
  }

  async function ask(key: string, query: Query, transport: 'udp' | 'tcp'): Promise<Answer> {
    const answer = await forward.ask(query, transport);
    const kind = kindOf(query, answer);
    if (kind !== undefined) keep(key, { answer, kind, stored: clock.monotonic(), ttl: timeToLive(query, answer) });
    return forClient(answer, query);
  }

  return {
    ask(query, transport) {
      const key = keyOf(query);
      return find(key, query) ?? ask(key, query, transport);
    },
  };
}

const wantsDnssec = ({ edns }: Query): boolean => ((edns?.flags ?? 0) & DNSSEC_OK) !== 0;

const keyOf = (query: Query): string =>
  `${wantsDnssec(query) ? 1 : 0}${query.checkingDisabled ? 1 : 0}${query.type} ${query.name.toLowerCase()}`;

/** Who did not ask whether it is authenticated is not told (RFC 6840 5.7). */
const forClient = (answer: Answer, query: Query): Answer =>
  answer.authenticData === true && !query.authenticData && !wantsDnssec(query)
    ? { ...answer, authenticData: false }
    : answer;

/** Undefined: not to be kept. */
function kindOf({ opcode, type }: Query, answer: Answer): CacheKind | undefined {
  if (answer.truncated === true || opcode !== OPCODE.QUERY || type === AXFR || type === IXFR) return undefined;
  const denied = answer.authority.some(record => record.type === 'SOA');
  switch (answer.rcode) {
    case RCODE.NOERROR:
      return answer.answers.length === 0 && denied ? 'denial' : 'success';
    case RCODE.NXDOMAIN:
      return denied ? 'denial' : undefined;
    case RCODE.SERVFAIL:
    case RCODE.NOTIMP:
      return 'denial';
    default:
      return undefined;
  }
}
