import type { KubeObject } from '../../../machinery/types.js';
import { aggregatedRole, aggregateLabel, clusterRole, EVENTS, READ, rule, urls, WRITE } from './notation.js';

const aggregatesTo = (name: string): Record<string, string> => ({ [aggregateLabel(name)]: 'true' });

const EVENT_KINDS = 'core events.k8s.io: events';
const HEALTH = '/livez /readyz /healthz';

/** Read-only sight of a namespace, without what would let one act as others (Secrets). */
const view = [
  rule(
    READ,
    `pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status endpoints
     persistentvolumeclaims persistentvolumeclaims/status configmaps`,
  ),
  rule(
    READ,
    `limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status
     replicationcontrollers/status pods/log`,
  ),
  rule(READ, 'namespaces'),
  rule(READ, EVENT_KINDS),
  rule(READ, 'discovery.k8s.io: endpointslices'),
  rule(
    READ,
    `apps: controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status
     deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale`,
  ),
  rule(READ, 'autoscaling: horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule(READ, 'batch: jobs cronjobs cronjobs/status jobs/status'),
  rule(
    READ,
    `extensions: daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses
     ingresses/status replicasets replicasets/scale replicasets/status replicationcontrollers/scale networkpolicies`,
  ),
  rule(READ, 'policy: poddisruptionbudgets poddisruptionbudgets/status'),
  rule(READ, 'networking.k8s.io: networkpolicies ingresses ingresses/status'),
  rule(READ, 'resource.k8s.io: resourceclaims resourceclaims/status resourceclaimtemplates'),
];

/** Everything a user does in a namespace, but for rights and limits. */
const edit = [
  rule(READ, 'pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy'),
  rule('impersonate', 'serviceaccounts'),
  rule(WRITE, 'pods pods/attach pods/proxy pods/exec pods/portforward'),
  rule('create', 'pods/eviction'),
  rule(
    WRITE,
    `replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy
     persistentvolumeclaims configmaps secrets`,
  ),
  rule('create', 'serviceaccounts/token'),
  rule(WRITE, EVENT_KINDS),
  rule(
    WRITE,
    `apps: statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback replicasets
     replicasets/scale`,
  ),
  rule(WRITE, 'autoscaling: horizontalpodautoscalers'),
  rule(WRITE, 'batch: jobs cronjobs'),
  rule(
    WRITE,
    `extensions: daemonsets deployments deployments/scale deployments/rollback ingresses replicasets replicasets/scale
     replicationcontrollers/scale networkpolicies`,
  ),
  rule(WRITE, 'policy: poddisruptionbudgets'),
  rule(WRITE, 'networking.k8s.io: networkpolicies ingresses'),
  rule(`${READ} ${WRITE}`, 'coordination.k8s.io: leases'),
  rule(WRITE, 'resource.k8s.io: resourceclaims resourceclaimtemplates'),
];

const admin = [
  rule('create', 'authorization.k8s.io: localsubjectaccessreviews'),
  rule(`${READ} ${WRITE}`, 'rbac.authorization.k8s.io: roles rolebindings'),
];

const SIGNER = 'certificates.k8s.io: signers';

/** The default ClusterRoles for people and add-ons (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy). */
export const userRoles: readonly KubeObject[] = [
  clusterRole('cluster-admin', [rule('*', '*: *'), urls('*', '*')]),
  clusterRole('system:discovery', [
    urls('get', `${HEALTH} /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*`),
  ]),
  clusterRole('system:monitoring', [
    urls('get', `/metrics /metrics/slis ${HEALTH} /livez/* /readyz/* /healthz/*`),
    rule('get', 'nodes/metrics'),
  ]),
  clusterRole('system:basic-user', [
    rule('create', 'authorization.k8s.io: selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io: selfsubjectreviews'),
  ]),
  clusterRole('system:public-info-viewer', [urls('get', `${HEALTH} /version /version/`)]),
  aggregatedRole('admin', 'admin'),
  aggregatedRole('edit', 'edit', aggregatesTo('admin')),
  aggregatedRole('view', 'view', aggregatesTo('edit')),
  clusterRole('system:aggregate-to-admin', admin, aggregatesTo('admin')),
  clusterRole('system:aggregate-to-edit', edit, aggregatesTo('edit')),
  clusterRole('system:aggregate-to-view', view, aggregatesTo('view')),
  clusterRole('system:heapster', [rule(READ, 'events pods nodes namespaces'), rule(READ, 'extensions: deployments')]),
  clusterRole('system:node-problem-detector', [rule('get', 'nodes'), rule('patch', 'nodes/status'), EVENTS]),
  clusterRole('system:kubelet-api-admin', [
    rule(READ, 'nodes'),
    rule('proxy', 'nodes'),
    rule('*', 'nodes/proxy nodes/metrics nodes/stats nodes/log'),
    rule('*', 'nodes/configz nodes/healthz nodes/pods'),
  ]),
  clusterRole('system:node-bootstrapper', [rule(`create ${READ}`, 'certificates.k8s.io: certificatesigningrequests')]),
  clusterRole('system:auth-delegator', [
    rule('create', 'authentication.k8s.io: tokenreviews'),
    rule('create', 'authorization.k8s.io: subjectaccessreviews'),
  ]),
  clusterRole('system:kube-aggregator', [rule(READ, 'services endpoints')]),
  clusterRole('system:persistent-volume-provisioner', [
    rule(`${READ} create delete`, 'persistentvolumes'),
    rule(`${READ} update`, 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io: storageclasses'),
    rule('watch', 'events'),
    EVENTS,
  ]),
  clusterRole('system:service-account-issuer-discovery', [
    urls(
      'get',
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:nodeclient', [
    rule('create', 'certificates.k8s.io: certificatesigningrequests/nodeclient'),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', [
    rule('create', 'certificates.k8s.io: certificatesigningrequests/selfnodeclient'),
  ]),
  clusterRole('system:certificates.k8s.io:legacy-unknown-approver', [
    rule('approve', SIGNER, 'kubernetes.io/legacy-unknown'),
  ]),
  clusterRole('system:certificates.k8s.io:kubelet-serving-approver', [
    rule('approve', SIGNER, 'kubernetes.io/kubelet-serving'),
  ]),
  clusterRole('system:certificates.k8s.io:kube-apiserver-client-approver', [
    rule('approve', SIGNER, 'kubernetes.io/kube-apiserver-client'),
  ]),
  clusterRole('system:certificates.k8s.io:kube-apiserver-client-kubelet-approver', [
    rule('approve', SIGNER, 'kubernetes.io/kube-apiserver-client-kubelet'),
  ]),
];
