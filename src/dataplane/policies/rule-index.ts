import { parseCidr } from '../../machinery/cidr.js';
import { bitsOf } from '../../machinery/ip.js';
import type { Labels } from '../../machinery/labels.js';
import { isDue, type Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { DeepReadonly, LabelSelector } from '../../machinery/types.js';
import type { PortQuestion } from './port-set.js';
import type { PeerPod, PolicyPeer, PolicyPort } from './types.js';

/** What a rule of either direction consists of. */
export interface RuleParts {
  readonly ports: readonly DeepReadonly<PolicyPort>[];
  readonly peers: readonly DeepReadonly<PolicyPeer>[];
}

/**
 * Finds the rules that a packet can meet, without asking tens of thousands of others. Each is filed under what all its peers,
 * or else all its ports, ask for by name (an address, a label, a port), or under nothing. It only leaves out rules that
 * ask for something else, so asking the candidates in order equals asking all.
 */
export interface RuleIndex {
  /** Positions of the candidates, ascending. `address` is canonical. */
  candidates(address: string, pod: PeerPod | undefined, port: PortQuestion): Iterable<number>;
}

/** Fewer are asked faster than looked up. */
export const INDEX_FROM = 64;

const ofAddress = (address: string): string => `@${address}`;
const ofPort = (protocol: string, port: number | string): string => `${protocol}/${port}`;
const ofPair = (whose: 'pod' | 'namespace', key: string, value: string): string => `${whose} ${key}=${value}`;
const ofKey = (whose: 'pod' | 'namespace', key: string): string => `${whose} ${key}`;

/** Adds what must be there for the selector to match, of which one is enough to look; false: nothing need be. */
function addSelector(out: string[], whose: 'pod' | 'namespace', selector: DeepReadonly<LabelSelector>): boolean {
  for (const key in selector.matchLabels) {
    out.push(ofPair(whose, key, selector.matchLabels[key] ?? ''));
    return true;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === 'Exists') out.push(ofKey(whose, key));
    else if (operator !== 'In') continue;
    // One of them is all it takes; who gives thousands is found by the key.
    else if (values.length > FEW) out.push(ofKey(whose, key));
    else for (const value of values) out.push(ofPair(whose, key, value));
    return true;
  }
  return false;
}
const FEW = 16;

function addPeer(out: string[], { ipBlock, podSelector, namespaceSelector }: DeepReadonly<PolicyPeer>): boolean {
  if (ipBlock !== undefined) {
    const cidr = parseCidr(ipBlock.cidr);
    if (cidr?.prefix !== bitsOf(cidr?.family ?? 'IPv4')) return cidr === undefined;
    out.push(ofAddress(cidr.network));
    return true;
  }
  return (
    (podSelector !== undefined && addSelector(out, 'pod', podSelector)) ||
    (namespaceSelector !== undefined && addSelector(out, 'namespace', namespaceSelector))
  );
}

function addPort(out: string[], { protocol = 'TCP', port, endPort }: DeepReadonly<PolicyPort>): boolean {
  if (port === undefined || (endPort !== undefined && endPort !== port)) return false;
  out.push(ofPort(protocol, port));
  return true;
}

/** Undefined when a rule asks for nothing by name. */
function* keysOf({ peers, ports }: RuleParts, pace: Pace): Steps<ReadonlySet<string> | undefined> {
  return (yield* filed(peers, addPeer, pace)) ?? (yield* filed(ports, addPort, pace));
}

function* filed<T>(
  list: readonly T[],
  add: (out: string[], one: T) => boolean,
  pace: Pace,
): Steps<Set<string> | undefined> {
  const keys: string[] = [];
  for (const one of list) {
    if (isDue(pace)) yield;
    if (!add(keys, one)) return undefined;
  }
  return list.length === 0 ? undefined : new Set(keys);
}

export function* ruleIndex(rules: readonly RuleParts[], pace: Pace): Steps<RuleIndex> {
  if (rules.length < INDEX_FROM) return { candidates: () => rules.keys() };
  const byKey = new Map<string, number[]>();
  const always: number[] = [];
  for (const [position, rule] of rules.entries()) {
    const keys = yield* keysOf(rule, pace);
    if (keys === undefined) always.push(position);
    for (const key of keys ?? []) {
      const positions = byKey.get(key);
      if (positions === undefined) byKey.set(key, [position]);
      else positions.push(position);
    }
  }
  return {
    candidates(address, pod, { protocol, port, names }) {
      const found: (readonly number[])[] = [always];
      const look = (key: string): void => {
        const positions = byKey.get(key);
        if (positions !== undefined) found.push(positions);
      };
      const lookAll = (whose: 'pod' | 'namespace', labels: Labels | undefined): void => {
        for (const [key, value] of Object.entries(labels ?? {})) {
          look(ofKey(whose, key));
          look(ofPair(whose, key, value));
        }
      };
      look(ofAddress(address));
      look(ofPort(protocol, port));
      for (const name of names(protocol, port)) look(ofPort(protocol, name));
      lookAll('pod', pod?.labels);
      lookAll('namespace', pod?.namespaceLabels);
      return inOrder(found);
    },
  };
}

/** Each of the lists is ascending. */
function inOrder(lists: readonly (readonly number[])[]): Iterable<number> {
  const some = lists.filter(({ length }) => length > 0);
  const [only = []] = some;
  if (some.length <= 1) return only;
  const all = new Uint32Array(some.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const list of some) {
    all.set(list, filled);
    filled += list.length;
  }
  return all.sort();
}
