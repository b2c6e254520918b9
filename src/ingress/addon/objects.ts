import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  DEPLOYMENTS,
  NAMESPACES,
  ROLE_BINDINGS,
  ROLES,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../client/resources.js';
import type { ResourceRef } from '../../client/types.js';
import type { KubeObject } from '../../machinery/types.js';
import { CLASS, GATEWAY_CONTROLLER, INGRESS_CONTROLLER, NAME, NAMESPACE, PORTS } from '../names.js';

const LABELS = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/component': 'controller' };
const RBAC = 'rbac.authorization.k8s.io';
const common = { name: NAME, labels: LABELS };
const metadata = { ...common, namespace: NAMESPACE };

/** The class that Ingresses are of which name none. */
export const ingressClass = (): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: CLASS, labels: LABELS, annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
  spec: { controller: INGRESS_CONTROLLER },
});

export const gatewayClass = (): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: CLASS, labels: LABELS },
  spec: { controllerName: GATEWAY_CONTROLLER, description: 'Gateways that Kubette serves' },
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
const rule = (verbs: string, group: string, resources: string): Rule => ({
  apiGroups: [group],
  resources: resources.split(' '),
  verbs: verbs.split(' '),
});

const clusterRules: readonly Rule[] = [
  rule('list watch', '', 'services secrets namespaces'),
  rule('create patch', '', 'events'),
  rule('list watch', 'discovery.k8s.io', 'endpointslices'),
  rule('list watch', 'networking.k8s.io', 'ingresses ingressclasses'),
  rule('patch', 'networking.k8s.io', 'ingresses/status'),
  rule('list watch', 'apiextensions.k8s.io', 'customresourcedefinitions'),
  rule('list watch', 'gateway.networking.k8s.io', 'gatewayclasses gateways httproutes referencegrants'),
  rule('patch', 'gateway.networking.k8s.io', 'gatewayclasses/status gateways/status httproutes/status'),
];
const ownRules: readonly Rule[] = [rule('get create update', 'coordination.k8s.io', 'leases')];

const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }];
const roleRef = (kind: string): object => ({ apiGroup: RBAC, kind, name: NAME });

const podSpec = {
  serviceAccountName: NAME,
  containers: [
    {
      name: 'controller',
      image: `kubette/${NAME}:v1`,
      ports: [
        { name: 'http', containerPort: PORTS.http, protocol: 'TCP' },
        { name: 'https', containerPort: PORTS.https, protocol: 'TCP' },
        { name: 'health', containerPort: PORTS.health, protocol: 'TCP' },
      ],
      readinessProbe: { httpGet: { path: '/healthz', port: 'health' }, periodSeconds: 1 },
      resources: { requests: { cpu: '10m', memory: '32Mi' } },
    },
  ],
};

/** All that the controller is, in the order in which it is made. */
export const controllerObjects = (): readonly (readonly [ResourceRef, KubeObject])[] => [
  [NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: LABELS } }],
  [SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata }],
  [CLUSTER_ROLES, { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: common, rules: clusterRules }],
  [
    CLUSTER_ROLE_BINDINGS,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: common,
      roleRef: roleRef('ClusterRole'),
      subjects,
    },
  ],
  [ROLES, { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules: ownRules }],
  [ROLE_BINDINGS, { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, roleRef: roleRef('Role'), subjects }],
  [
    SERVICES,
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        type: 'LoadBalancer',
        ipFamilyPolicy: 'PreferDualStack',
        selector: LABELS,
        ports: [
          { name: 'http', port: PORTS.http, protocol: 'TCP', targetPort: 'http' },
          { name: 'https', port: PORTS.https, protocol: 'TCP', targetPort: 'https' },
        ],
      },
    },
  ],
  [
    DEPLOYMENTS,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      // How many there are is left to who scales them.
      spec: { selector: { matchLabels: LABELS }, template: { metadata: { labels: LABELS }, spec: podSpec } },
    },
  ],
];
