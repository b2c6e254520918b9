/** The five netfilter hooks, in lower case; the built-in chains are the same words in upper case. */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** The API object that caused a rule; the trace prints it. */
export interface Origin {
  readonly kind: 'Service' | 'EndpointSlice' | 'Node' | 'Proxy' | 'NetworkPolicy';
  readonly namespace?: string;
  readonly name: string;
  /** Service port name, or its number when it has none. */
  readonly port?: string;
  /** "ip:port" of the endpoint behind the rule. */
  readonly endpoint?: string;
}

/** One line of a trace, as agents hand it to each other and to people. `rule` is text of the tool that lists such rules. */
export interface TraceStep {
  readonly kind: 'rule' | 'policy' | 'networkPolicy' | 'conntrack' | 'route' | 'nat';
  readonly hook: Hook;
  readonly table?: string;
  readonly chain?: string;
  /** 1-based, as in `iptables -L --line-numbers`. */
  readonly ruleNumber?: number;
  readonly rule?: string;
  /** For people: "jump KUBE-SVC-…", "dnat to 10.0.0.1:80", "state NEW", "local delivery", "accept". */
  readonly effect: string;
  readonly comment?: string;
  /** Where chance chose this rule: how often it does, of all packets that come to its chain, from 0 to 1. */
  readonly probability?: number;
  readonly origin?: Origin;
}
