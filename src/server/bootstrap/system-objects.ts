import { formatTime } from '../../machinery/clock.js';
import type { KubeObject } from '../../machinery/types.js';
import { FLOW_SCHEMAS, PRIORITY_LEVELS } from '../../kinds/flowcontrol/flow-control-defaults.js';
import { SERVICE_NAME_LABEL } from '../../machinery/service-name.js';

/** An object that the API server makes at start, when it is not there. */
export interface SystemObject {
  /** resourceId, e.g. "priorityclasses.scheduling.k8s.io". */
  readonly resource: string;
  readonly object: KubeObject;
}

/** Made at start, and made again when someone removes them (kubernetes pkg/controlplane/controller/systemnamespaces). */
export const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease', 'default'] as const;

export const systemNamespace = (name: string): SystemObject => ({
  resource: 'namespaces',
  object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
});

const priorityClass = (name: string, value: number, description: string): SystemObject => ({
  resource: 'priorityclasses.scheduling.k8s.io',
  object: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, description },
});

export const PRIORITY_CLASSES: readonly SystemObject[] = [
  priorityClass(
    'system-node-critical',
    2_000_001_000,
    'Used for system critical pods that must not be moved from their current node.',
  ),
  priorityClass(
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ),
];

const flowControl = (kind: string, plural: string, specs: Readonly<Record<string, unknown>>): SystemObject[] =>
  Object.entries(specs).map(([name, spec]) => ({
    resource: `${plural}.flowcontrol.apiserver.k8s.io`,
    object: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind,
      metadata: { name, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } },
      spec,
    },
  }));

export const FLOW_CONTROL: readonly SystemObject[] = [
  ...flowControl('PriorityLevelConfiguration', 'prioritylevelconfigurations', PRIORITY_LEVELS),
  ...flowControl('FlowSchema', 'flowschemas', FLOW_SCHEMAS),
];

/** How the API server publishes itself to Pods. */
export interface ApiServerAddress {
  /** First address of the first service range: the Service has one family, whatever the cluster has. */
  readonly serviceIp: string;
  readonly advertiseAddress: string;
  readonly securePort: number;
}

export const kubernetesService = ({ serviceIp, securePort }: ApiServerAddress): SystemObject => ({
  resource: 'services',
  object: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: serviceIp,
      clusterIPs: [serviceIp],
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: securePort }],
    },
  },
});

export const kubernetesEndpoints = ({ advertiseAddress, securePort }: ApiServerAddress): SystemObject => ({
  resource: 'endpoints',
  object: {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: advertiseAddress }], ports: [{ name: 'https', port: securePort, protocol: 'TCP' }] }],
  },
});

export const kubernetesEndpointSlice = ({ advertiseAddress, securePort }: ApiServerAddress): SystemObject => ({
  resource: 'endpointslices.discovery.k8s.io',
  object: {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { [SERVICE_NAME_LABEL]: 'kubernetes' } },
    addressType: advertiseAddress.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
    ports: [{ name: 'https', port: securePort, protocol: 'TCP' }],
  },
});

/** Since when the server has looked for tokens of the older kind, which are Secrets (pkg/controlplane/controller/legacytokentracking). */
export const legacyTokenTracking = (nowMs: number): SystemObject => ({
  resource: 'configmaps',
  object: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: formatTime(nowMs).slice(0, 'yyyy-mm-dd'.length) },
  },
});

/** The range that Services' addresses come from (pkg/controlplane/controller/defaultservicecidr). */
export const defaultServiceCidr = (cidrs: readonly string[]): SystemObject => ({
  resource: 'servicecidrs.networking.k8s.io',
  object: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [...cidrs] },
  },
});
