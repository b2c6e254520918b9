export interface TraceOptions {
  /** Sends so many requests, one after the other, 1 to 1000. Default 1. */
  readonly count?: number;
  /** What chance decides on the node is the same for the same seed. */
  readonly seed?: number;
  /** Asks for addresses of that family only. */
  readonly family?: 'ipv4' | 'ipv6';
  /** Where packets from outside come in: a node's name. Default: the first that is ready. */
  readonly node?: string;
}

/** A place that the first request has come through. */
export interface Hop {
  /** "node-1" */
  readonly node: string;
  /**
   * What happened there: "netfilter", a node's rules were asked; "route", where it is sent; "deliver", the end of the way;
   * "relay", the proxy opened a connection of its own; "fail", the way ended.
   */
  readonly kind: 'netfilter' | 'route' | 'deliver' | 'relay' | 'fail';
  /** For people: "tcp 10.244.1.2:40000 -> 10.96.0.20:80", "pod default/web-1", "ECONNREFUSED …". */
  readonly text: string;
}

/** What became of the requests. */
export interface Trace {
  /** Whether the first was answered (udp: sent). */
  readonly ok: boolean;
  /** Why it was not. */
  readonly error?: string;
  /** What of the cluster explains that, and what would mend it. */
  readonly reason?: { readonly code: string; readonly message: string; readonly fix: string };
  /** HTTP status of the first answer. */
  readonly status?: number;
  readonly hops: readonly Hop[];
  /** How many requests ended where: by "pod default/web-1 (10.244.1.2:80)", or by the text of an error. */
  readonly ends: Readonly<Record<string, number>>;
  /** All there is, as `kubette trace -o json` prints it (api-schemas/trace.v1.json). */
  readonly report: Readonly<Record<string, unknown>>;
  /** As `kubette trace` prints it. */
  toString(): string;
}
