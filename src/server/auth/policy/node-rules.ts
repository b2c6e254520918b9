import type { PolicyRule } from '../rbac/rules.js';
import { EVENTS, READ, rule } from './notation.js';

/** What every kubelet may do with kinds that the Node authorizer does not look at object by object. */
export const NODE_RULES: readonly PolicyRule[] = [
  rule('create', 'authentication.k8s.io: tokenreviews'),
  rule('create', 'authorization.k8s.io: subjectaccessreviews localsubjectaccessreviews'),
  rule(READ, 'services'),
  rule(`create ${READ}`, 'nodes'),
  rule('update patch', 'nodes/status'),
  rule('update patch', 'nodes'),
  EVENTS,
  rule(READ, 'pods'),
  rule('create delete', 'pods'),
  rule('update patch', 'pods/status'),
  rule('create', 'pods/eviction'),
  rule(READ, 'secrets configmaps'),
  rule('get', 'persistentvolumeclaims persistentvolumes'),
  rule('get', 'endpoints'),
  rule(`create ${READ}`, 'certificates.k8s.io: certificatesigningrequests'),
  rule('get create update patch delete', 'coordination.k8s.io: leases'),
  rule('get', 'storage.k8s.io: volumeattachments'),
  rule('create', 'serviceaccounts/token'),
  rule('get update patch', 'persistentvolumeclaims/status'),
  rule(READ, 'storage.k8s.io: csidrivers'),
  rule('get create update patch delete', 'storage.k8s.io: csinodes'),
  rule(READ, 'node.k8s.io: runtimeclasses'),
  rule('get', 'resource.k8s.io: resourceclaims'),
  rule('deletecollection', 'resource.k8s.io: resourceslices'),
  rule('get', 'serviceaccounts'),
];
