import { NodeInfo, type ReadonlyNode } from './node-info.js';
import { createPodInfo, schedulingFacts, type PodInfo, type ReadonlyPod } from './pod-info.js';

/** What plugins see of nodes and the Pods on them. */
export interface Snapshot {
  /** Nodes that exist, those of a zone apart from each other. */
  nodes(): readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  withAffinity(): Iterable<NodeInfo>;
  withRequiredAntiAffinity(): Iterable<NodeInfo>;
  /** How many nodes have an image. */
  imageSpread(name: string): number;
}

/**
 * Nodes with their Pods, kept up to date by what the informers tell, and with Pods that are assumed to be where they
 * are being bound to (backend/cache). It is read where it stands: scheduling a Pod is one synchronous step.
 */
export interface SchedulerCache extends Snapshot {
  setNode(node: ReadonlyNode): void;
  removeNode(name: string): void;
  /** A Pod that has a node, new or changed. */
  setPod(pod: ReadonlyPod): void;
  removePod(pod: ReadonlyPod): void;
  assume(info: PodInfo, node: string): void;
  /** The binding failed. */
  forget(id: string): void;
  isAssumed(id: string): boolean;
}

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';

/** One node of each zone in turn (backend/cache/node_tree.go). */
function inTurn(all: Iterable<NodeInfo>): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const info of all) {
    const zone = `${info.labels[REGION] ?? ''}/${info.labels[ZONE] ?? ''}`;
    const members = zones.get(zone);
    if (members === undefined) zones.set(zone, [info]);
    else members.push(info);
  }
  const lists = [...zones.values()];
  const longest = Math.max(0, ...lists.map(list => list.length));
  const out: NodeInfo[] = [];
  for (let i = 0; i < longest; i++)
    for (const list of lists) {
      const info = list[i];
      if (info !== undefined) out.push(info);
    }
  return out;
}

export function createSchedulerCache(): SchedulerCache {
  const infos = new Map<string, NodeInfo>();
  /** Where each Pod is counted. */
  const places = new Map<string, { info: PodInfo; node: string; facts: string; assumed: boolean }>();
  const affinityNodes = new Set<NodeInfo>();
  const antiAffinityNodes = new Set<NodeInfo>();
  const images = new Map<string, number>();
  let ordered: readonly NodeInfo[] | undefined;

  const infoOf = (name: string): NodeInfo => {
    let info = infos.get(name);
    if (info === undefined) {
      info = new NodeInfo(name);
      infos.set(name, info);
    }
    return info;
  };
  const note = (info: NodeInfo): void => {
    const keep = (set: Set<NodeInfo>, is: boolean): void => void (is ? set.add(info) : set.delete(info));
    keep(affinityNodes, info.node !== undefined && info.terms.size > 0);
    keep(
      antiAffinityNodes,
      info.node !== undefined && [...info.terms.values()].some(({ kind }) => kind === 'requiredAnti'),
    );
    if (info.node === undefined && info.pods.size === 0) infos.delete(info.name);
  };
  const countImages = (info: NodeInfo, sign: 1 | -1): void => {
    for (const name of info.images.keys()) {
      const count = (images.get(name) ?? 0) + sign;
      if (count > 0) images.set(name, count);
      else images.delete(name);
    }
  };
  const putNode = (name: string, node: ReadonlyNode | undefined): void => {
    const info = infoOf(name);
    countImages(info, -1);
    const zoneBefore = [info.node !== undefined, info.labels[REGION], info.labels[ZONE]].join();
    info.setNode(node);
    countImages(info, 1);
    if (zoneBefore !== [node !== undefined, info.labels[REGION], info.labels[ZONE]].join()) ordered = undefined;
    note(info);
  };
  const place = (info: PodInfo, node: string, facts: string, assumed: boolean): void => {
    places.set(info.id, { info, node, facts, assumed });
    const nodeInfo = infoOf(node);
    nodeInfo.add(info);
    note(nodeInfo);
  };
  const displace = (id: string): void => {
    const at = places.get(id);
    if (at === undefined) return;
    places.delete(id);
    const nodeInfo = infoOf(at.node);
    nodeInfo.remove(id);
    note(nodeInfo);
  };

  return {
    nodes: () => (ordered ??= inTurn([...infos.values()].filter(info => info.node !== undefined))),
    node: name => {
      const info = infos.get(name);
      return info?.node === undefined ? undefined : info;
    },
    withAffinity: () => affinityNodes,
    withRequiredAntiAffinity: () => antiAffinityNodes,
    imageSpread: name => images.get(name) ?? 0,
    setNode: node => putNode(node.metadata.name ?? '', node),
    removeNode: name => putNode(name, undefined),
    setPod(pod) {
      const node = pod.spec?.nodeName ?? '';
      const id = pod.metadata.uid ?? '';
      const facts = schedulingFacts(pod);
      const at = places.get(id);
      if (at?.node === node && (at.facts === facts || at.assumed)) {
        at.info.pod = pod;
        at.assumed = false;
        if (at.facts === facts) return;
      }
      displace(id);
      place(createPodInfo(pod), node, facts, false);
    },
    removePod: pod => displace(pod.metadata.uid ?? ''),
    assume: (info, node) => place(info, node, schedulingFacts(info.pod), true),
    forget(id) {
      if (places.get(id)?.assumed === true) displace(id);
    },
    isAssumed: id => places.get(id)?.assumed === true,
  };
}
