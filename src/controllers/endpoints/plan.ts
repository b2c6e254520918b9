import type { DeepReadonly, Endpoints, Pod, Service } from '../../machinery/types.js';
import { isReady } from '../pods.js';
import { byHash, printPort, printSubset } from './hash-order.js';
import { belongsToEndpoints, endpointHostname, isHeadless, podIP, targetPort } from '../service-pods.js';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];

/** Upstream endpoint.maxCapacity. */
const MAX_ADDRESSES = 1000;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byIP = (a: Address, b: Address): number =>
  compare(a.ip, b.ip) || compare(a.targetRef?.uid ?? '', b.targetRef?.uid ?? '');
const byPort = (a: Port, b: Port): number =>
  compare(a.name ?? '', b.name ?? '') || a.port - b.port || compare(a.protocol ?? '', b.protocol ?? '');

function toAddress(pod: DeepReadonly<Pod>, service: DeepReadonly<Service>): Address | undefined {
  const ip = podIP(pod, service.spec?.ipFamilies?.[0] === 'IPv6' ? 'IPv6' : 'IPv4');
  if (ip === undefined) return undefined;
  const hostname = endpointHostname(pod, service);
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    // A Pod that no scheduler has placed has an empty one, which the server refuses, as upstream's does.
    nodeName: pod.spec?.nodeName ?? '',
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name ?? '',
      uid: pod.metadata.uid ?? '',
    },
  };
}

/** A Pod that is not ready belongs to notReadyAddresses unless it will never be ready again. */
const mayBecomeReady = (pod: DeepReadonly<Pod>): boolean => {
  const phase = pod.status?.phase;
  if (pod.spec?.restartPolicy === 'Never') return phase !== 'Failed' && phase !== 'Succeeded';
  if (pod.spec?.restartPolicy === 'OnFailure') return phase !== 'Succeeded';
  return true;
};

/** The subsets of a Service's Endpoints: addresses grouped by equal port sets, all sorted (endpoints.RepackSubsets). */
export function planSubsets(service: DeepReadonly<Service>, pods: Iterable<DeepReadonly<Pod>>): Subset[] {
  const publishNotReady = service.spec?.publishNotReadyAddresses === true;
  // Keyed by port: RepackSubsets regroups by address first, so that one with several ports gets one subset.
  const byAddress = new Map<string, { address: Address; ready: boolean; ports: Port[] }>();
  for (const pod of pods) {
    if (!belongsToEndpoints(pod, publishNotReady)) continue;
    const address = toAddress(pod, service);
    if (address === undefined) continue;
    const ready = publishNotReady || isReady(pod);
    if (!ready && !mayBecomeReady(pod)) continue;
    const ports: Port[] = [];
    for (const port of service.spec?.ports ?? []) {
      const number = targetPort(pod, port);
      if (number === undefined) continue;
      ports.push({
        ...(port.name === undefined || port.name === '' ? {} : { name: port.name }),
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      });
    }
    if (ports.length === 0 && !(isHeadless(service) && (service.spec?.ports ?? []).length === 0)) continue;
    byAddress.set(`${address.ip}/${address.targetRef?.uid ?? ''}`, { address, ready, ports: ports.sort(byPort) });
  }
  const groups = new Map<string, { ports: Port[]; ready: Address[]; notReady: Address[] }>();
  for (const { address, ready, ports } of byAddress.values()) {
    const id = JSON.stringify(ports.map(p => [p.name, p.port, p.protocol, p.appProtocol]));
    const group = groups.get(id) ?? { ports, ready: [], notReady: [] };
    groups.set(id, group);
    (ready ? group.ready : group.notReady).push(address);
  }
  const subsets = [...groups.values()].map((group): Subset => ({
    ...(group.ready.length === 0 ? {} : { addresses: group.ready.sort(byIP) }),
    ...(group.notReady.length === 0 ? {} : { notReadyAddresses: group.notReady.sort(byIP) }),
    ...(group.ports.length === 0 ? {} : { ports: byHash(group.ports, printPort) }),
  }));
  return byHash(subsets, printSubset);
}

/** Keeps at most 1000 addresses, ready ones first, each subset its share. True when some were dropped. */
export function truncate(subsets: Subset[]): boolean {
  const count = (pick: 'addresses' | 'notReadyAddresses'): number =>
    subsets.reduce((n, s) => n + (s[pick]?.length ?? 0), 0);
  const [ready, notReady] = [count('addresses'), count('notReadyAddresses')];
  if (ready + notReady <= MAX_ADDRESSES) return false;
  const shrink = (pick: 'addresses' | 'notReadyAddresses', total: number, keep: number): void => {
    let left = keep;
    subsets.forEach((subset, i) => {
      const list = subset[pick];
      if (list === undefined) return;
      const share = i === subsets.length - 1 ? left : Math.min(left, Math.floor((list.length / total) * keep));
      left -= Math.min(share, list.length);
      if (share <= 0) delete subset[pick];
      else subset[pick] = list.slice(0, share);
    });
  };
  if (ready > MAX_ADDRESSES) shrink('addresses', ready, MAX_ADDRESSES);
  shrink('notReadyAddresses', notReady, Math.max(0, MAX_ADDRESSES - ready));
  return true;
}
