import {
  DEPLOYMENTS,
  ENDPOINTS,
  ENDPOINT_SLICES,
  NODES,
  PODS,
  REPLICA_SETS,
  SERVICES,
} from '../../../src/client/resources.js';
import type { RestClient } from '../../../src/client/rest-client.js';
import type { ResourceRef } from '../../../src/client/types.js';
import { isNodeReady } from '../../../src/machinery/node-ready.js';
import type {
  Deployment,
  Endpoints,
  EndpointSlice,
  KubeObject,
  Node,
  Pod,
  ReplicaSet,
  Service,
} from '../../../src/machinery/types.js';
import { askDns } from './ask-dns.js';
import { dnsPort } from './ask-dns.js';

/** Replaces what differs between two namespaces that are alike: addresses and node ports by whose they are, hashes by nothing. */
type Anonymous = (text: string) => string;

function anonymous(namespace: string, pods: readonly Pod[], services: readonly Service[]): Anonymous {
  const names = new Map<string, string>([[namespace, 'NAMESPACE']]);
  for (const { metadata, status } of pods)
    if (status?.podIP !== undefined) names.set(status.podIP, `POD-OF-${metadata.labels?.['app'] ?? ''}`);
  for (const { metadata, spec } of services) {
    const name = metadata.name ?? '';
    if (spec?.clusterIP !== undefined && spec.clusterIP !== 'None') names.set(spec.clusterIP, `SERVICE-${name}`);
    for (const { nodePort } of spec?.ports ?? []) if (nodePort) names.set(String(nodePort), `NODE-PORT-${name}`);
  }
  return text =>
    text
      .replaceAll(/[\w.-]+/g, word => names.get(word) ?? word)
      .replaceAll(/[\w-]+(?=\/\w+:http)/g, word => names.get(word) ?? word)
      .replaceAll(/(KUBE-[A-Z]+)-[A-Z2-7]{16}/g, '$1')
      .replaceAll(/\[\d+:\d+\]/g, '');
}

const sorted = (lines: readonly string[]): string[] => [...lines].sort();

/**
 * What a namespace has come to, and what nodes and DNS make of it: lines without names, addresses and times that chance or the
 * order of things gave.
 */
export async function shapeOf(client: RestClient, namespace: string, apps: readonly string[]): Promise<string[]> {
  const all = async <T extends KubeObject>(ref: ResourceRef): Promise<T[]> =>
    (await client.resource<T>(ref).list({ namespace: ref.namespaced ? namespace : '' })).items;
  const [pods, services, nodes] = [await all<Pod>(PODS), await all<Service>(SERVICES), await all<Node>(NODES)];
  const anonymize = anonymous(namespace, pods, services);
  const ours = <T extends KubeObject>(objects: readonly T[]): T[] =>
    objects.filter(({ metadata }) => metadata.name !== 'kubernetes');

  const lines = [
    ...(await all<Deployment>(DEPLOYMENTS)).map(({ metadata, spec, status }) => {
      const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, observedGeneration } = status ?? {};
      const seen = observedGeneration === metadata.generation;
      const image = spec?.template.spec?.containers[0]?.image;
      return `deployment ${metadata.name} ${image}: ${spec?.replicas} wanted, ${replicas}, ${updatedReplicas} updated, ${readyReplicas} ready, seen: ${seen}`;
    }),
    // How many old ones there are says which versions a controller has seen, and it need not see all.
    ...(await all<ReplicaSet>(REPLICA_SETS))
      .filter(({ spec, status }) => spec?.replicas !== 0 || status?.replicas !== 0)
      .map(
        ({ metadata, spec, status }) =>
          `replica set of ${metadata.labels?.['app']}: ${spec?.replicas} wanted, ${status?.replicas}`,
      ),
    ...pods.map(({ metadata, spec, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
      const ending = metadata.deletionTimestamp !== undefined ? ', ending' : '';
      return `pod of ${metadata.labels?.['app']} ${spec?.containers[0]?.image}: ${status?.phase}, ready: ${ready}${ending}`;
    }),
    ...services.map(({ metadata, spec }) =>
      anonymize(`service ${metadata.name} ${spec?.type} ${spec?.clusterIP} ${JSON.stringify(spec?.ports)}`),
    ),
    ...ours(await all<Endpoints>(ENDPOINTS)).flatMap(({ metadata, subsets }) =>
      (subsets ?? []).flatMap(({ addresses, notReadyAddresses, ports }) =>
        anonymize(
          `endpoints ${metadata.name} ${sorted((addresses ?? []).map(({ ip }) => ip)).join(' ')} not ready ${(notReadyAddresses ?? []).length} ${JSON.stringify(ports)}`,
        ),
      ),
    ),
    ...ours(await all<EndpointSlice>(ENDPOINT_SLICES)).flatMap(({ metadata, endpoints, ports }) => {
      const service = metadata.labels?.['kubernetes.io/service-name'] ?? '';
      return (endpoints ?? []).map(({ addresses, conditions }) =>
        anonymize(
          `endpoint of ${service} ${addresses.join(' ')} ${JSON.stringify(conditions)} ${JSON.stringify(ports)}`,
        ),
      );
    }),
    ...nodes.map(node => `node ${node.metadata.name} ready: ${isNodeReady(node)}`),
  ];
  for (const { metadata } of nodes) {
    const path = `/api/v1/nodes/${metadata.name}/proxy/rules?format=iptables-save`;
    const rules = (await client.transport.fetch({ method: 'GET', path })).split('\n');
    lines.push(
      ...rules.filter(rule => rule.includes(`${namespace}/`)).map(rule => anonymize(`${metadata.name}: ${rule}`)),
    );
  }
  const port = await dnsPort(client);
  for (const app of apps) {
    const { code, addresses } = await askDns(port, `${app}.${namespace}.svc.cluster.local`);
    lines.push(anonymize(`dns ${app}: ${code} ${sorted(addresses.map(anonymize)).join(' ')}`));
  }
  return sorted(lines);
}

/** What one has and the other has not. */
export function shapeDifferences(expected: readonly string[], actual: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of expected) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of actual) counts.set(line, (counts.get(line) ?? 0) - 1);
  return [...counts].flatMap(([line, count]) =>
    count === 0 ? [] : [`${Math.abs(count)} ${count > 0 ? 'missing' : 'too many'}: ${line}`],
  );
}
