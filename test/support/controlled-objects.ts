import type { Node, Pod, Service } from '../../src/machinery/types.js';

export const NOW = '2026-01-01T00:00:00Z';

interface PodFacts {
  name: string;
  ip?: string;
  ready?: boolean;
  node?: string;
  phase?: string;
  deleting?: boolean;
  labels?: Record<string, string>;
  owner?: string;
  extra?: Record<string, unknown>;
}

export const pod = ({
  name,
  ip,
  ready = true,
  node = 'n1',
  phase = 'Running',
  deleting = false,
  labels = { app: 'a' },
  owner,
  extra = {},
}: PodFacts): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    uid: `uid-${name}`,
    labels,
    creationTimestamp: NOW,
    ...(deleting ? { deletionTimestamp: NOW } : {}),
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: `uid-${owner}`, controller: true },
          ],
        }),
  },
  spec: {
    nodeName: node,
    containers: [{ name: 'c', image: 'echo', ports: [{ name: 'http', containerPort: 8080 }] }],
    ...extra,
  },
  status: {
    phase,
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: NOW }],
  },
});

export const service = (spec: Record<string, unknown> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: 'uid-web', creationTimestamp: NOW, labels: { team: 'x' } },
  spec: {
    clusterIP: '10.96.0.9',
    ipFamilies: ['IPv4'],
    selector: { app: 'a' },
    ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
    ...spec,
  },
});

export const node = (
  name: string,
  facts: {
    ready?: string;
    taints?: unknown[];
    labels?: Record<string, string>;
    unschedulable?: boolean;
    cpu?: string;
  } = {},
): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: facts.labels ?? {}, creationTimestamp: NOW },
    spec: {
      ...(facts.taints === undefined ? {} : { taints: facts.taints }),
      ...(facts.unschedulable === true ? { unschedulable: true } : {}),
    },
    status: {
      conditions: [{ type: 'Ready', status: facts.ready ?? 'True' }],
      allocatable: { cpu: facts.cpu ?? '4', memory: '8Gi', pods: '110' },
    },
  }) as unknown as Node;
