import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { Program } from '../../../src/dataplane/kernel/program.js';
import { createRouteTable, defaultRoute, type RouteTable } from '../../../src/dataplane/kernel/routes.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import { createProxier, type ProxyConfig } from '../../../src/dataplane/proxiers/index.js';
import type { ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import type { DetectLocal } from '../../../src/dataplane/proxiers/detect-local.js';
import type { Proxier } from '../../../src/dataplane/proxiers/types.js';
import { type Clock, FakeClock } from '../../../src/machinery/clock.js';
import { parseCidr } from '../../../src/machinery/cidr.js';
import type { Family } from '../../../src/machinery/ip.js';
import type { EndpointSlice, Node, Service } from '../../../src/machinery/types.js';
import type { Case, Item, Step } from './types.js';

const ofFamily = (list: string, family: Family): string[] =>
  list.split(',').filter(text => text === 'primary' || text.includes(':') === (family === 'IPv6'));

export function configOf(
  { node: nodeName, nodes, config: { flags } }: Case,
  mode: ProxyMode,
  family: Family,
  clock: Clock,
): ProxyConfig {
  const flag = (name: string): string | undefined =>
    flags.find(text => text.startsWith(`--${name}=`))?.slice(name.length + 3);
  const node = nodes.find(n => n.metadata.name === nodeName);
  const v6 = family === 'IPv6';
  const nodeIP = node?.status?.addresses?.find(a => a.type === 'InternalIP' && a.address.includes(':') === v6)?.address;
  const detect = (): DetectLocal | undefined => {
    const prefix = flag('pod-interface-name-prefix');
    if (prefix !== undefined) return { kind: 'interfaceNamePrefix', prefix };
    if (flag('detect-local-mode') === 'NodeCIDR') return { kind: 'nodeCidr' };
    const cidr = ofFamily(flag('cluster-cidr') ?? '', family).find(Boolean);
    return cidr === undefined ? undefined : { kind: 'clusterCidr', cidrs: [cidr] };
  };
  const detectLocal = detect();
  const bindAddress = flag('bind-address');
  const nodePortAddresses = flag('nodeport-addresses');
  return {
    clock,
    mode,
    family,
    nodeName,
    nodeAddresses: [nodeIP ?? []].flat(),
    ...(v6 || bindAddress === undefined ? {} : { nodeIP: bindAddress }),
    ...(detectLocal === undefined ? {} : { detectLocal }),
    ...(nodePortAddresses === undefined ? {} : { nodePortAddresses: ofFamily(nodePortAddresses, family) }),
    masqueradeAll: flags.includes('--masquerade-all'),
    conntrackTCPLiberal: flags.includes('--conntrack-tcp-be-liberal'),
    localhostNodePorts: flag('iptables-localhost-nodeports') !== 'false',
  };
}

/** The API server's own Service, which it makes itself. */
const KUBERNETES: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name: 'kubernetes' },
  spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }] },
};

/** What the API server fills in when it creates the Service. */
function asStored<T extends { readonly spec?: Service['spec'] }>(object: T): T {
  const { clusterIP, clusterIPs } = object.spec ?? {};
  return clusterIP === undefined || clusterIPs !== undefined
    ? object
    : { ...object, spec: { ...object.spec, clusterIPs: [clusterIP] } };
}

function load(proxy: Proxier, kernel: Kernel, onProgram: (program: Program) => void): void {
  const { program } = proxy.sync();
  if (program === undefined) return;
  kernel.load(program);
  onProgram(program);
}

const chainsOf = ({ xtables, nftables }: Kernel): string[] => [
  ...xtables.tables().flatMap(table => table.chains.map(chain => chain.name)),
  ...nftables.tables().flatMap(table => [...table.chains.keys()]),
];

/** Of the API server that was recorded. */
const SERVICE_CIDRS: readonly string[] = ['10.96.0.0/16', 'fd00:10:96::/112'];

/** Of the node that was recorded, the first is its primary one. */
const NODE_ADDRESSES = {
  IPv4: ['192.168.50.11', '192.168.60.11'],
  IPv6: ['fd00:50::11', 'fd00:60::11'],
} as const;
export const NODE_LINK = 'eth0';
export const POD_LINK = 'veth0';

/** The recordings were taken some seconds after each change. */
const STEP_MS = 5_000;

export interface RecordedNode {
  readonly kernel: Kernel;
  /** Tells the proxy, which syncs; `onProgram` sees what it has loaded. */
  change(step: Step, onProgram?: (program: Program) => void): void;
}

const withKind = (kind: string, list: readonly (Service | EndpointSlice | Node)[]): Item[] =>
  list.map(object => ({ ...object, kind }));

/** The links of the recording machine: its own Pods on a bridge, everything else behind one interface. */
function topology({ nodes, node: name }: Case, family: Family): RouteTable {
  const routes = createRouteTable(family);
  for (const address of NODE_ADDRESSES[family]) routes.addAddress(NODE_LINK, address);
  const ranges = nodes.find(node => node.metadata.name === name)?.spec?.podCIDRs ?? [];
  for (const range of ranges)
    if (parseCidr(range)?.family === family) routes.add({ destination: range, link: POD_LINK });
  routes.add({ destination: defaultRoute(family), link: NODE_LINK });
  return routes;
}

/** One node that has the objects of the case; it is told of changes and syncs after each. */
export function createNode(head: Case, mode: ProxyMode, family: Family, random = (): number => 0): RecordedNode {
  const clock = new FakeClock();
  const config = configOf(head, mode, family, clock);
  const objects = new Map<string, Item>();
  const keyOf = (kind: string, namespace = '', name = ''): string => `${kind} ${namespace}/${name}`;
  const routes = topology(head, family);
  const kernel = createKernel({ clock, random, routes });
  const newProxy = (): Proxier => {
    const created = createProxier({ ...config, loadedChains: () => chainsOf(kernel) });
    created.setServiceCidrs(SERVICE_CIDRS);
    return created;
  };
  let proxy = newProxy();
  const tell = (item: Item, present: boolean): void => {
    if (item.kind === 'Service') {
      if (present) proxy.onServiceUpdate(item as Service);
      else proxy.onServiceDelete(item as Service);
    } else if (item.kind === 'EndpointSlice') {
      if (present) proxy.onSliceUpdate(item as EndpointSlice);
      else proxy.onSliceDelete(item as EndpointSlice);
    } else if (item.metadata.name === config.nodeName)
      proxy.setNode(item.metadata.labels ?? {}, (item as Node).spec?.podCIDRs);
  };
  const apply = (item: Item): void => {
    objects.set(keyOf(item.kind, item.metadata.namespace, item.metadata.name), item);
    tell(item, true);
  };
  for (const item of withKind('Node', head.nodes)) apply(item);
  const services = head.keepKubernetesService === true ? [KUBERNETES, ...head.services] : head.services;
  for (const item of withKind('Service', services.map(asStored))) apply(item);
  for (const item of withKind('EndpointSlice', head.endpointSlices)) apply(item);
  return {
    kernel,
    change(step, onProgram = () => undefined) {
      for (const gone of step.delete ?? []) {
        const id = keyOf(gone.kind, gone.namespace, gone.name);
        const item = objects.get(id);
        objects.delete(id);
        if (item !== undefined) tell(item, false);
      }
      for (const item of step.apply ?? []) apply(asStored(item as Item & Service));
      if (step.restart === true) {
        proxy = newProxy();
        for (const item of objects.values()) tell(item, true);
      }
      clock.step(STEP_MS);
      load(proxy, kernel, onProgram);
    },
  };
}
