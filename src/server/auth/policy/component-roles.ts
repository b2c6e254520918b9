import type { KubeObject } from '../../../machinery/types.js';
import type { PolicyRule } from '../rbac/rules.js';
import { NODE_RULES } from './node-rules.js';
import { clusterRole, EVENTS, READ, rule, WRITE } from './notation.js';

const reviews = [
  rule('create', 'authentication.k8s.io: tokenreviews'),
  rule('create', 'authorization.k8s.io: subjectaccessreviews'),
];

export const schedulerRules: readonly PolicyRule[] = [
  EVENTS,
  rule('create', 'coordination.k8s.io: leases'),
  rule(`${READ} update`, 'coordination.k8s.io: leases', 'kube-scheduler'),
  rule(`${READ} ${WRITE}`, 'coordination.k8s.io: leasecandidates'),
  rule(READ, 'nodes'),
  rule(`${READ} delete`, 'pods'),
  rule('create', 'pods/binding bindings'),
  rule('patch update', 'pods/status'),
  rule(READ, 'services replicationcontrollers'),
  rule(READ, 'apps extensions: replicasets'),
  rule(READ, 'apps: statefulsets'),
  rule(READ, 'policy: poddisruptionbudgets'),
  rule(READ, 'persistentvolumeclaims persistentvolumes'),
  ...reviews,
  rule(READ, 'storage.k8s.io: csinodes'),
  rule(READ, 'storage.k8s.io: volumeattachments'),
  rule(READ, 'namespaces'),
  rule(READ, 'storage.k8s.io: csidrivers'),
  rule(READ, 'storage.k8s.io: csistoragecapacities'),
  rule(READ, 'resource.k8s.io: deviceclasses'),
  rule(`${READ} update patch`, 'resource.k8s.io: resourceclaims'),
  rule(`${READ} update patch`, 'resource.k8s.io: resourceclaims/status'),
  rule('update', 'pods/finalizers'),
  rule(READ, 'resource.k8s.io: resourceslices'),
];

/** The default ClusterRoles for the parts of the cluster itself. */
export const componentRoles: readonly KubeObject[] = [
  clusterRole('system:node', NODE_RULES),
  clusterRole('system:node-proxier', [
    rule('list watch', 'services endpoints'),
    rule(READ, 'nodes'),
    EVENTS,
    rule('list watch', 'networking.k8s.io: servicecidrs'),
    rule('list watch', 'discovery.k8s.io: endpointslices'),
  ]),
  clusterRole('system:kube-controller-manager', [
    EVENTS,
    rule('create', 'coordination.k8s.io: leases'),
    rule('get update', 'coordination.k8s.io: leases', 'kube-controller-manager'),
    rule('create', 'secrets serviceaccounts'),
    rule('delete', 'secrets'),
    rule('get', 'namespaces secrets serviceaccounts configmaps'),
    rule('update', 'secrets serviceaccounts'),
    ...reviews,
    rule('list watch', '*: *'),
    rule('create', 'serviceaccounts/token'),
  ]),
  clusterRole('system:kube-scheduler', schedulerRules),
  clusterRole('system:volume-scheduler', [
    rule(`${READ} patch update`, 'persistentvolumes'),
    rule(READ, 'storage.k8s.io: storageclasses'),
    rule(`${READ} patch update`, 'persistentvolumeclaims'),
  ]),
  clusterRole('system:kube-dns', [rule('list watch', 'endpoints services')]),
];
