import type { ResourceRef } from './types.js';

const namespaced = (group: string, version: string, resource: string): ResourceRef => ({
  group,
  version,
  resource,
  namespaced: true,
});
const cluster = (group: string, version: string, resource: string): ResourceRef => ({
  group,
  version,
  resource,
  namespaced: false,
});

/** The resources our own processes use. */
export const NAMESPACES = cluster('', 'v1', 'namespaces');
export const NODES = cluster('', 'v1', 'nodes');
export const PODS = namespaced('', 'v1', 'pods');
export const SERVICES = namespaced('', 'v1', 'services');
export const IP_ADDRESSES = cluster('networking.k8s.io', 'v1', 'ipaddresses');
export const SERVICE_CIDRS = cluster('networking.k8s.io', 'v1', 'servicecidrs');
export const INGRESSES = namespaced('networking.k8s.io', 'v1', 'ingresses');
export const INGRESS_CLASSES = cluster('networking.k8s.io', 'v1', 'ingressclasses');
export const NETWORK_POLICIES = namespaced('networking.k8s.io', 'v1', 'networkpolicies');
export const ENDPOINTS = namespaced('', 'v1', 'endpoints');
export const ENDPOINT_SLICES = namespaced('discovery.k8s.io', 'v1', 'endpointslices');
export const CONFIG_MAPS = namespaced('', 'v1', 'configmaps');
export const SECRETS = namespaced('', 'v1', 'secrets');
export const SERVICE_ACCOUNTS = namespaced('', 'v1', 'serviceaccounts');
export const EVENTS = namespaced('', 'v1', 'events');
export const LEASES = namespaced('coordination.k8s.io', 'v1', 'leases');
export const DEPLOYMENTS = namespaced('apps', 'v1', 'deployments');
export const REPLICA_SETS = namespaced('apps', 'v1', 'replicasets');
export const STATEFUL_SETS = namespaced('apps', 'v1', 'statefulsets');
export const DAEMON_SETS = namespaced('apps', 'v1', 'daemonsets');
export const CONTROLLER_REVISIONS = namespaced('apps', 'v1', 'controllerrevisions');
export const JOBS = namespaced('batch', 'v1', 'jobs');
export const CRON_JOBS = namespaced('batch', 'v1', 'cronjobs');
export const POD_DISRUPTION_BUDGETS = namespaced('policy', 'v1', 'poddisruptionbudgets');
export const RESOURCE_QUOTAS = namespaced('', 'v1', 'resourcequotas');
export const PERSISTENT_VOLUME_CLAIMS = namespaced('', 'v1', 'persistentvolumeclaims');
export const PERSISTENT_VOLUMES = cluster('', 'v1', 'persistentvolumes');
export const HORIZONTAL_POD_AUTOSCALERS = namespaced('autoscaling', 'v2', 'horizontalpodautoscalers');
export const REPLICATION_CONTROLLERS = namespaced('', 'v1', 'replicationcontrollers');
export const API_SERVICES = cluster('apiregistration.k8s.io', 'v1', 'apiservices');
export const VALIDATING_ADMISSION_POLICIES = cluster(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicies',
);
export const CUSTOM_RESOURCE_DEFINITIONS = cluster('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
export const ROLES = namespaced('rbac.authorization.k8s.io', 'v1', 'roles');
export const ROLE_BINDINGS = namespaced('rbac.authorization.k8s.io', 'v1', 'rolebindings');
export const CLUSTER_ROLE_BINDINGS = cluster('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings');
export const CLUSTER_ROLES = cluster('rbac.authorization.k8s.io', 'v1', 'clusterroles');
export const CERTIFICATE_SIGNING_REQUESTS = cluster('certificates.k8s.io', 'v1', 'certificatesigningrequests');
export const SUBJECT_ACCESS_REVIEWS = cluster('authorization.k8s.io', 'v1', 'subjectaccessreviews');
export const STORAGE_CLASSES = cluster('storage.k8s.io', 'v1', 'storageclasses');
export const CSI_NODES = cluster('storage.k8s.io', 'v1', 'csinodes');
export const RESOURCE_CLAIMS = namespaced('resource.k8s.io', 'v1', 'resourceclaims');
export const DEVICE_CLASSES = cluster('resource.k8s.io', 'v1', 'deviceclasses');
