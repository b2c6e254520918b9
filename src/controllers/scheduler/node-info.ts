import { isHardTaint } from '../../machinery/scheduling/tolerations.js';
import type { DeepReadonly, Node, Taint } from '../../machinery/types.js';
import { amountsOf, type Affinity, type AffinityTerm, type Amounts, type HostPort, type PodInfo } from './pod-info.js';

export type ReadonlyNode = DeepReadonly<Node>;
type ReadonlyTaint = DeepReadonly<Taint>;

/** Counts that a node remembers; more than plugins ask for between two changes of a node. */
const MAX_REMEMBERED = 256;

/** A term that Pods of the node have in common, and how many have it. */
export interface SharedTerm {
  readonly kind: keyof Affinity;
  readonly term: AffinityTerm;
  count: number;
}

const ANY_IP = '0.0.0.0';

/**
 * A node, the Pods on it and their sums. Sums are carried on with every Pod that comes or goes, and counts are
 * remembered until one does, so that placing a Pod costs what the node that changed costs and not all of them.
 */
export class NodeInfo {
  node: ReadonlyNode | undefined;
  allocatable: Amounts = new Map();
  images: ReadonlyMap<string, number> = new Map();
  readonly pods = new Map<string, PodInfo>();
  /** What the node's Pods say of others: those of one template say the same. */
  readonly terms = new Map<string, SharedTerm>();
  readonly requested = new Map<string, number>();
  readonly countedRequested = new Map<string, number>();
  readonly #ports = new Map<string, Map<string, number>>();
  readonly #counts = new Map<string, number>();
  labels: Readonly<Record<string, string>> = {};
  hardTaints: readonly ReadonlyTaint[] = [];
  /** Those that keep nobody away: PreferNoSchedule. */
  softTaints: readonly ReadonlyTaint[] = [];

  constructor(readonly name: string) {}

  setNode(node: ReadonlyNode | undefined): void {
    this.node = node;
    this.labels = node?.metadata.labels ?? {};
    const taints = node?.spec?.taints ?? [];
    this.hardTaints = taints.filter(isHardTaint);
    this.softTaints = taints.filter(({ effect }) => effect === 'PreferNoSchedule');
    this.allocatable = amountsOf(node?.status?.allocatable ?? {});
    this.images = new Map(
      (node?.status?.images ?? []).flatMap(({ names = [], sizeBytes = 0 }) => names.map(name => [name, sizeBytes])),
    );
  }

  add(info: PodInfo): void {
    this.pods.set(info.id, info);
    this.#sum(info, 1);
  }

  remove(id: string): PodInfo | undefined {
    const info = this.pods.get(id);
    if (info === undefined) return undefined;
    this.pods.delete(id);
    this.#sum(info, -1);
    return info;
  }

  #sum(info: PodInfo, sign: 1 | -1): void {
    this.#counts.clear();
    for (const kind of Object.keys(info.affinity) as (keyof Affinity)[])
      for (const term of info.affinity[kind]) {
        const key = `${kind} ${term.weight} ${term.topologyKey}\n${term.key}`;
        const shared = this.terms.get(key) ?? { kind, term, count: 0 };
        shared.count += sign;
        if (shared.count > 0) this.terms.set(key, shared);
        else this.terms.delete(key);
      }
    for (const [name, amount] of info.requests)
      this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount);
    for (const [name, amount] of info.countedRequests)
      this.countedRequested.set(name, (this.countedRequested.get(name) ?? 0) + sign * amount);
    for (const { ip, protocol, port } of info.hostPorts) {
      const key = `${protocol}/${port}`;
      const byIp = this.#ports.get(key) ?? new Map<string, number>();
      this.#ports.set(key, byIp);
      const users = (byIp.get(ip) ?? 0) + sign;
      if (users > 0) byIp.set(ip, users);
      else byIp.delete(ip);
      if (byIp.size === 0) this.#ports.delete(key);
    }
  }

  /** Whether a Pod of the node has the port on this address, or either of them on all addresses. */
  isPortTaken({ ip, protocol, port }: HostPort): boolean {
    const byIp = this.#ports.get(`${protocol}/${port}`);
    return byIp !== undefined && (ip === ANY_IP || byIp.has(ip) || byIp.has(ANY_IP));
  }

  /** How many of the node's Pods match. `key` must say all that `matches` depends on beside the Pod. */
  count(key: string, matches: (info: PodInfo) => boolean): number {
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    let count = 0;
    for (const info of this.pods.values()) if (matches(info)) count++;
    if (this.#counts.size >= MAX_REMEMBERED) this.#counts.clear();
    this.#counts.set(key, count);
    return count;
  }

  /** One to try changes on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.node = this.node;
    copy.labels = this.labels;
    copy.hardTaints = this.hardTaints;
    copy.softTaints = this.softTaints;
    copy.allocatable = this.allocatable;
    copy.images = this.images;
    for (const info of this.pods.values()) copy.add(info);
    return copy;
  }
}
