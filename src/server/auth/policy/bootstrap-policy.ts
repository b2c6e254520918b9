import type { KubeObject } from '../../../machinery/types.js';
import type { PolicyRule } from '../rbac/rules.js';
import { componentRoles, schedulerRules } from './component-roles.js';
import { controllerBindings, controllerRoles, controllerRules } from './controller-roles.js';
import { clusterBinding, clusterRole, EVENTS, READ, role, roleBinding, rule } from './notation.js';
import { NODE_AGENTS, NODE_HOSTS } from '../node-agents.js';
import { userRoles } from './user-roles.js';

const SYSTEM = 'kube-system';
const PUBLIC = 'kube-public';
const CONTROLLER = 'system:controller:';
const RBAC = 'rbac.authorization.k8s.io';
/** What all of the ingress controller is called. */
const INGRESS = 'kubette-ingress';
const CONTROLLER_MANAGER = 'user:system:kube-controller-manager';

/** Each rule once: controllers share many. */
function distinct(rules: readonly PolicyRule[]): PolicyRule[] {
  return [...new Map(rules.map(r => [JSON.stringify(r), r])).values()];
}

/**
 * What our processes need beyond upstream's defaults: the controller manager runs its controllers, and the scheduler,
 * under its own name rather than one service account each; a node agent is the proxy of its node, too, and its network
 * plugin, with the rights of kube-network-policies' manifest; and the DNS process has those of CoreDNS's.
 */
const ownRoles: readonly KubeObject[] = [
  clusterRole('kubette:controllers', distinct([...Object.values(controllerRules).flat(), ...schedulerRules])),
  // kind's local-path provisioner, which is one of our controllers.
  clusterRole('kubette:local-path-provisioner', [
    rule('create', 'storage.k8s.io: storageclasses'),
    // What it has made on a node it removes there.
    rule('delete', 'nodes/proxy'),
  ]),
  // metrics-server's, which runs beside the controllers and puts itself behind the API server.
  clusterRole('kubette:metrics-server', [
    rule('get', 'nodes/proxy'),
    rule('get create update', 'apiregistration.k8s.io: apiservices'),
    rule('get create update', 'rbac.authorization.k8s.io: clusterroles'),
  ]),
  // Who brings the ingress controller, whose rights it does not have itself, under this name only: no other process is this user.
  clusterRole('kubette:ingress-addon', [
    rule('create', 'networking.k8s.io: ingressclasses'),
    rule('create', 'gateway.networking.k8s.io: gatewayclasses'),
    rule('create', 'namespaces serviceaccounts services'),
    rule('create', 'apps: deployments'),
    rule('create', `${RBAC}: clusterrolebindings rolebindings`),
    // Of a role that is made the name is not asked; bound is none but this.
    rule('create escalate', `${RBAC}: clusterroles roles`),
    rule('patch', 'namespaces serviceaccounts services', INGRESS),
    rule('patch', 'apps: deployments', INGRESS),
    rule('patch', `${RBAC}: clusterrolebindings rolebindings`, INGRESS),
    rule('bind patch', `${RBAC}: clusterroles roles`, INGRESS),
  ]),
  clusterRole('kubette:network-policies', [
    rule('list watch', 'pods namespaces'),
    rule('list watch', 'networking.k8s.io: networkpolicies'),
  ]),
  clusterRole('system:coredns', [
    rule('list watch', 'endpoints services pods namespaces'),
    rule('list watch', 'discovery.k8s.io: endpointslices'),
  ]),
];
const ownBindings: readonly KubeObject[] = [
  clusterBinding('kubette:controllers', [CONTROLLER_MANAGER]),
  clusterBinding('kubette:metrics-server', [CONTROLLER_MANAGER]),
  clusterBinding('kubette:ingress-addon', ['user:system:kubette-addons']),
  clusterBinding('kubette:local-path-provisioner', [CONTROLLER_MANAGER]),
  clusterBinding('system:node-proxier', [`group:${NODE_AGENTS}`], NODE_AGENTS),
  // One user for many nodes: which of them an object is bound to the Node authorizer could not ask.
  clusterBinding('system:node', [`group:${NODE_HOSTS}`], NODE_HOSTS),
  clusterBinding('system:node-proxier', [`group:${NODE_HOSTS}`], `${NODE_HOSTS}:proxies`),
  clusterBinding('kubette:network-policies', [`group:${NODE_AGENTS}`, `group:${NODE_HOSTS}`]),
  clusterBinding('system:coredns', ['user:system:coredns', 'sa:kube-system/coredns']),
];

const clusterBindings: readonly KubeObject[] = [
  clusterBinding('cluster-admin', ['group:system:masters']),
  clusterBinding('system:monitoring', ['group:system:monitoring']),
  clusterBinding('system:discovery', ['group:system:authenticated']),
  clusterBinding('system:basic-user', ['group:system:authenticated']),
  clusterBinding('system:public-info-viewer', ['group:system:authenticated', 'group:system:unauthenticated']),
  clusterBinding('system:node-proxier', ['user:system:kube-proxy']),
  clusterBinding('system:kube-controller-manager', [CONTROLLER_MANAGER]),
  clusterBinding('system:kube-dns', ['sa:kube-system/kube-dns']),
  clusterBinding('system:kube-scheduler', ['user:system:kube-scheduler']),
  clusterBinding('system:volume-scheduler', ['user:system:kube-scheduler']),
  clusterBinding('system:service-account-issuer-discovery', ['group:system:serviceaccounts']),
  // Nobody is bound: the Node authorizer does what this binding once did.
  clusterBinding('system:node', []),
];

const leaderLocking = (component: string): KubeObject =>
  role(SYSTEM, `system::leader-locking-${component}`, [
    rule(`${READ} create update`, 'coordination.k8s.io: leases'),
    rule(`${READ} create update`, 'coordination.k8s.io: leasecandidates'),
  ]);

const namespaceRoles: readonly KubeObject[] = [
  role(SYSTEM, 'extension-apiserver-authentication-reader', [
    rule(READ, 'configmaps', 'extension-apiserver-authentication'),
  ]),
  role(SYSTEM, `${CONTROLLER}bootstrap-signer`, [rule(READ, 'secrets')]),
  role(SYSTEM, `${CONTROLLER}cloud-provider`, [rule(`create ${READ}`, 'configmaps')]),
  role(SYSTEM, `${CONTROLLER}token-cleaner`, [rule(`${READ} delete`, 'secrets'), EVENTS]),
  leaderLocking('kube-controller-manager'),
  leaderLocking('kube-scheduler'),
  // The DNS process publishes its own Service, which in a cluster a manifest would.
  role(SYSTEM, 'kubette:dns', [
    rule('create', 'services'),
    rule('get update', 'services', 'kube-dns'),
    rule('create', 'discovery.k8s.io: endpointslices'),
    rule('get update', 'discovery.k8s.io: endpointslices', 'kube-dns-host'),
  ]),
  role(SYSTEM, 'kubette:metrics-server', [
    rule('get create', 'services'),
    rule('get create update', 'discovery.k8s.io: endpointslices'),
  ]),
  role(PUBLIC, `${CONTROLLER}bootstrap-signer`, [
    rule(READ, 'configmaps'),
    rule('update', 'configmaps', 'cluster-info'),
    EVENTS,
  ]),
];

const namespaceBindings: readonly KubeObject[] = [
  roleBinding(
    SYSTEM,
    'extension-apiserver-authentication-reader',
    [CONTROLLER_MANAGER, 'user:system:kube-scheduler'],
    'system::extension-apiserver-authentication-reader',
  ),
  roleBinding(SYSTEM, 'system::leader-locking-kube-controller-manager', [
    CONTROLLER_MANAGER,
    'sa:kube-system/kube-controller-manager',
    'sa:kube-system/leader-election-controller',
  ]),
  roleBinding(SYSTEM, 'system::leader-locking-kube-scheduler', [
    'user:system:kube-scheduler',
    'sa:kube-system/kube-scheduler',
  ]),
  roleBinding(SYSTEM, `${CONTROLLER}bootstrap-signer`, ['sa:kube-system/bootstrap-signer']),
  roleBinding(SYSTEM, `${CONTROLLER}cloud-provider`, ['sa:kube-system/cloud-provider']),
  roleBinding(SYSTEM, `${CONTROLLER}token-cleaner`, ['sa:kube-system/token-cleaner']),
  roleBinding(SYSTEM, 'kubette:dns', ['user:system:coredns']),
  roleBinding(SYSTEM, 'kubette:metrics-server', [CONTROLLER_MANAGER]),
  roleBinding(PUBLIC, `${CONTROLLER}bootstrap-signer`, ['sa:kube-system/bootstrap-signer']),
];

const objects: readonly KubeObject[] = [
  ...userRoles,
  ...componentRoles,
  ...controllerRoles,
  ...ownRoles,
  ...clusterBindings,
  ...controllerBindings,
  ...ownBindings,
  ...namespaceRoles,
  ...namespaceBindings,
];

/**
 * The roles and bindings of a new cluster: kube-apiserver 1.35's defaults and those of our own processes. Created at
 * start when missing; roles before their bindings, cluster-wide ones before those of kube-system and kube-public.
 * `resource` is the resourceId of `object`.
 */
export const bootstrapPolicy: readonly { readonly resource: string; readonly object: KubeObject }[] = objects.map(
  object => ({ resource: `${object.kind?.toLowerCase() ?? ''}s.rbac.authorization.k8s.io`, object }),
);
