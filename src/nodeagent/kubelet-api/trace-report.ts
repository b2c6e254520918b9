import type { DnsAnswer } from '../../containers/network/dns-question.js';
import type { NetworkStep } from '../../containers/network/types.js';

/** Of api-schemas/trace.v1.json, which says the same to other languages. */
export const TRACE_VERSION = 'v1' as const;

/** Where a traced request comes from. */
export type TraceEnd =
  | {
      readonly kind: 'pod';
      readonly namespace: string;
      readonly name: string;
      readonly addresses: readonly string[];
      readonly node: string;
    }
  | { readonly kind: 'node'; readonly name: string; readonly addresses: readonly string[]; readonly node: string }
  /** Somebody outside of the cluster, whose packets come in at the node. */
  | { readonly kind: 'outside'; readonly addresses: readonly string[]; readonly node: string };

export interface DnsQueryTrace extends DnsAnswer {
  /** How the question crossed the rules. */
  readonly steps: readonly NetworkStep[];
}

export interface UnansweredQuery {
  /** "A web.default.svc.cluster.local" */
  readonly question: string;
  readonly server: string;
  readonly error: string;
  readonly steps: readonly NetworkStep[];
}

export interface TraceLookup {
  readonly name: string;
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly clusterDomain: string;
  readonly dnsPolicy: string;
  readonly addresses: readonly string[];
  readonly canonicalName: string;
  readonly fromHosts: boolean;
  readonly failure?: string;
  readonly queries: readonly DnsQueryTrace[];
  /** Questions that nobody answered. */
  readonly unanswered: readonly UnansweredQuery[];
}

/** One request, once its name has an address. */
export interface TraceAttempt {
  readonly connection: {
    readonly protocol: 'tcp' | 'udp' | 'sctp';
    readonly to: { readonly address: string; readonly port: number };
    readonly steps: readonly NetworkStep[];
    readonly error?: { readonly code: string; readonly message: string };
  };
  /** What the target answered, for http and https. */
  readonly reply?: { readonly status: number; readonly contentType: string; readonly body: string };
  /** For udp: how long the answering datagram was; 0: none came, which UDP does not promise either. */
  readonly datagram?: { readonly bytes: number };
  readonly error?: string;
}

/** Everything that happened to a request, as JSON. Without an address of its name there is no connection. */
export interface TraceReport extends Partial<TraceAttempt> {
  readonly version: typeof TRACE_VERSION;
  readonly from: TraceEnd;
  /** As `from`, where that is a Pod. */
  readonly pod?: { readonly namespace: string; readonly name: string; readonly ip: string; readonly node: string };
  readonly url: string;
  readonly lookup: TraceLookup;
  /** All of them, the first included, when several were asked for. */
  readonly attempts?: readonly TraceAttempt[];
}
