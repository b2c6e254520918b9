import t, { type Test } from 'tap';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import { createRouteTable } from '../../src/dataplane/kernel/routes.js';
import { printSave } from '../../src/dataplane/tools/iptables/print-save.js';
import { createProxier } from '../../src/dataplane/proxiers/index.js';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import type { ProxyConfig } from '../../src/dataplane/proxiers/index.js';
import type { DetectLocal, Proxier } from '../../src/dataplane/proxiers/types.js';
import type { Family } from '../../src/machinery/ip.js';
import { realClock } from '../../src/machinery/clock.js';
import type { EndpointSlice, Node, Service } from '../../src/machinery/types.js';
import { differingOriginals } from '../replay/originals.js';
import { saveTextDifferences } from '../replay/proxy/save-text.js';
import { ownRecordings, parseRecording } from '../replay/recordings.js';
import { checkScore } from '../support/score.js';

/*
 * What the real kube-proxy 1.35.4 programs, recorded, against what our proxy loads for the same objects: iptables mode,
 * both families, through the same incremental syncs as a running agent.
 */
type Item = (Service | EndpointSlice | Node) & { readonly kind: string };
interface Step {
  readonly about: string;
  readonly delete?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[];
  readonly apply?: readonly Item[];
  readonly restart?: boolean;
  readonly rules: { readonly v4: string; readonly v6: string };
}
interface Case {
  readonly name: string;
  readonly about: string;
  readonly node: string;
  readonly config: { readonly flags: readonly string[]; readonly iptablesVersion?: string };
  readonly keepKubernetesService?: boolean;
  readonly nodes: readonly Node[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/** Not of these recordings: the agent's iptables is 1.8.9 and listens where --bind-address does not say. */
const SKIPPED: Readonly<Record<string, string>> = {
  'cfg-old-iptables': 'an iptables without --random-fully is not simulated',
};

const ofFamily = (list: string, family: Family): string[] =>
  list.split(',').filter(text => text === 'primary' || text.includes(':') === (family === 'IPv6'));

function configOf({ node: nodeName, nodes, config: { flags } }: Case, family: Family): ProxyConfig {
  const flag = (name: string): string | undefined =>
    flags.find(text => text.startsWith(`--${name}=`))?.slice(name.length + 3);
  const node = nodes.find(n => n.metadata.name === nodeName);
  const v6 = family === 'IPv6';
  const nodeIP = node?.status?.addresses?.find(a => a.type === 'InternalIP' && a.address.includes(':') === v6)?.address;
  const nodeCidr = node?.spec?.podCIDRs?.find(cidr => cidr.includes(':') === v6);
  const detect = (): DetectLocal | undefined => {
    const prefix = flag('pod-interface-name-prefix');
    if (prefix !== undefined) return { kind: 'interfaceNamePrefix', prefix };
    const cidr =
      flag('detect-local-mode') === 'NodeCIDR' ? nodeCidr : ofFamily(flag('cluster-cidr') ?? '', family).find(Boolean);
    return cidr === undefined ? undefined : { kind: 'cidr', cidr };
  };
  const detectLocal = detect();
  const nodePortAddresses = flag('nodeport-addresses');
  return {
    clock: realClock,
    mode: 'iptables',
    family,
    nodeName,
    nodeAddresses: [(v6 ? undefined : flag('bind-address')) ?? nodeIP ?? []].flat(),
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

interface Machine {
  proxy: Proxier;
  kernel: Kernel;
}

function load({ proxy, kernel }: Machine): void {
  const { program } = proxy.sync();
  if (program !== undefined) kernel.load(program);
}

const FAMILIES = [
  ['IPv4', 'v4'],
  ['IPv6', 'v6'],
] as const;

/** Counts the texts that are compared, and those that are right. */
function replay(t: Test, text: string, count = { passed: 0, of: 0 }): void {
  const { head, steps } = parseRecording<Case, Step>(text);
  for (const [family, key] of FAMILIES) {
    const options = SKIPPED[head.name] === undefined ? {} : { skip: SKIPPED[head.name] ?? '' };
    t.test(`${head.name}, ${family}: ${head.about}`, options, t => {
      const node = createNode(head, family);
      for (const step of steps) {
        node.change(step);
        const right = t.same(saveTextDifferences(step.rules[key], node.saved()), [], step.about);
        count.of++;
        if (right) count.passed++;
      }
      t.end();
    });
  }
}

const withKind = (kind: string, list: readonly (Service | EndpointSlice | Node)[]): Item[] =>
  list.map(object => ({ ...object, kind }));

/** One node that has the objects of the case; it is told of changes and syncs after each. */
function createNode(head: Case, family: Family): { change(step: Step): void; saved(): string } {
  const config = configOf(head, family);
  const objects = new Map<string, Item>();
  const keyOf = (kind: string, namespace = '', name = ''): string => `${kind} ${namespace}/${name}`;
  const newMachine = (): Machine => ({
    proxy: createProxier(config),
    kernel: createKernel({ clock: realClock, random: Math.random, routes: createRouteTable(family) }),
  });
  const machine = newMachine();
  const tell = (item: Item, present: boolean): void => {
    const { proxy } = machine;
    if (item.kind === 'Service') {
      if (present) proxy.onServiceUpdate(item as Service);
      else proxy.onServiceDelete(item as Service);
    } else if (item.kind === 'EndpointSlice') {
      if (present) proxy.onSliceUpdate(item as EndpointSlice);
      else proxy.onSliceDelete(item as EndpointSlice);
    } else if (item.metadata.name === config.nodeName) proxy.setNode(item.metadata.labels ?? {});
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
    change(step) {
      for (const gone of step.delete ?? []) {
        const id = keyOf(gone.kind, gone.namespace, gone.name);
        const item = objects.get(id);
        objects.delete(id);
        if (item !== undefined) tell(item, false);
      }
      for (const item of step.apply ?? []) apply(asStored(item as Item & Service));
      if (step.restart === true) {
        // What stops is the whole node, with its rules.
        Object.assign(machine, newMachine());
        for (const item of objects.values()) tell(item, true);
      }
      load(machine);
    },
    saved: () => printSave(machine.kernel),
  };
}

const own = ownRecordings('proxy');
const count = { passed: 0, of: 0 };
for (const text of own.values()) replay(t, text, count);
t.test('score', async t => checkScore(t, 'proxy', { iptables: count, skipped: SKIPPED }));

const others = differingOriginals('proxy', own);
t.test(
  'the originals beside the repository, where they differ',
  { skip: others === undefined ? 'no original recordings beside the repository' : false },
  t => {
    t.comment(`${others?.size ?? 0} differ from the repository's`);
    for (const text of others?.values() ?? []) replay(t, text);
    t.end();
  },
);
