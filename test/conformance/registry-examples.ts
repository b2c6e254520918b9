import type { KubeObject } from '../../src/machinery/types.js';

/** What a test makes of each kind: the least that the real server takes. Metadata is filled in by the test. */
export type Example = Omit<KubeObject, 'metadata'>;

const podSpec = { containers: [{ name: 'c', image: 'registry.example/app:1' }] };
const labels = { app: 'a' };
const selector = { matchLabels: labels };
const template = { metadata: { labels }, spec: podSpec };
const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' };
const clientConfig = { url: 'https://hook.example.org/check' };
const webhook = {
  name: 'hook.example.org',
  clientConfig,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
};
const NOW = '2026-01-01T00:00:00.000000Z';

export const EXAMPLES: Readonly<Record<string, Example>> = {
  configmaps: { data: { k: 'v' } },
  endpoints: { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] },
  events: { involvedObject: { kind: 'Pod', name: 'p', namespace: 'ns' }, reason: 'Test' },
  limitranges: { spec: { limits: [{ type: 'Container', default: { cpu: '1' } }] } },
  namespaces: {},
  nodes: {},
  persistentvolumeclaims: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  persistentvolumes: {
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } },
  },
  pods: { spec: podSpec },
  podtemplates: { template },
  replicationcontrollers: { spec: { replicas: 0, selector: labels, template } },
  resourcequotas: { spec: { hard: { pods: '3' } } },
  secrets: { data: { k: 'dg==' } },
  serviceaccounts: {},
  services: { spec: { ports: [{ port: 80 }] } },
  'controllerrevisions.apps': { revision: 1, data: { any: 'thing' } },
  'daemonsets.apps': { spec: { selector, template } },
  'deployments.apps': { spec: { selector, template } },
  'replicasets.apps': { spec: { selector, template } },
  'statefulsets.apps': { spec: { serviceName: 's', selector, template } },
  'events.events.k8s.io': {
    eventTime: NOW,
    reason: 'Test',
    action: 'Testing',
    type: 'Normal',
    reportingController: 'example.org/tester',
    reportingInstance: 'tester-1',
    regarding: { kind: 'Pod', name: 'p', namespace: 'ns' },
  },
  'horizontalpodautoscalers.autoscaling': { spec: { scaleTargetRef: reference, maxReplicas: 3 } },
  'jobs.batch': { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
  'cronjobs.batch': {
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
    },
  },
  'ingressclasses.networking.k8s.io': { spec: { controller: 'example.org/ingress' } },
  'ingresses.networking.k8s.io': { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  'networkpolicies.networking.k8s.io': { spec: { podSelector: {} } },
  'poddisruptionbudgets.policy': { spec: { minAvailable: 1, selector } },
  'clusterrolebindings.rbac.authorization.k8s.io': {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  },
  'clusterroles.rbac.authorization.k8s.io': { rules: [rule] },
  'rolebindings.rbac.authorization.k8s.io': {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
  },
  'roles.rbac.authorization.k8s.io': { rules: [rule] },
  'csidrivers.storage.k8s.io': { spec: {} },
  'csinodes.storage.k8s.io': { spec: { drivers: [] } },
  'storageclasses.storage.k8s.io': { provisioner: 'example.org/disk' },
  'volumeattachments.storage.k8s.io': {
    spec: { attacher: 'example.org', nodeName: 'n', source: { persistentVolumeName: 'pv' } },
  },
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': { webhooks: [webhook] },
  'validatingwebhookconfigurations.admissionregistration.k8s.io': { webhooks: [webhook] },
  'priorityclasses.scheduling.k8s.io': { value: 7 },
  'leases.coordination.k8s.io': { spec: { holderIdentity: 'me', leaseDurationSeconds: 15 } },
  'runtimeclasses.node.k8s.io': { handler: 'runc' },
  'endpointslices.discovery.k8s.io': { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }] },
  'flowschemas.flowcontrol.apiserver.k8s.io': {
    spec: { priorityLevelConfiguration: { name: 'global-default' }, matchingPrecedence: 100 },
  },
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': {
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  },
};
