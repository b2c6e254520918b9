import type * as k8s from '@kubernetes/client-node';
import type { Wire } from '../../machinery/types.js';

export type FlowSchemaSpec = Wire<k8s.V1FlowSchemaSpec>;
export type PriorityLevelSpec = Wire<k8s.V1PriorityLevelConfigurationSpec>;
type Rules = NonNullable<FlowSchemaSpec['rules']>[number];
type Subject = Rules['subjects'][number];

/**
 * The priority levels and flow schemas that a cluster begins with (apiserver pkg/apis/flowcontrol/bootstrap). Those
 * that are mandatory cannot say anything else.
 */
export const MANDATORY = ['catch-all', 'exempt'];

const limited = (
  shares: number,
  lendable: number,
  queuing?: [queues: number, handSize: number],
): PriorityLevelSpec => ({
  type: 'Limited',
  limited: {
    nominalConcurrencyShares: shares,
    lendablePercent: lendable,
    limitResponse:
      queuing === undefined
        ? { type: 'Reject' }
        : { type: 'Queue', queuing: { queues: queuing[0], handSize: queuing[1], queueLengthLimit: 50 } },
  },
});

export const PRIORITY_LEVELS: Readonly<Record<string, PriorityLevelSpec>> = {
  exempt: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  'catch-all': limited(5, 0),
  system: limited(30, 33, [64, 6]),
  'node-high': limited(40, 25, [64, 6]),
  'leader-election': limited(10, 0, [16, 4]),
  'workload-high': limited(40, 50, [128, 6]),
  'workload-low': limited(100, 90, [128, 6]),
  'global-default': limited(20, 50, [128, 6]),
};

const group = (name: string): Subject => ({ kind: 'Group', group: { name } });
const user = (name: string): Subject => ({ kind: 'User', user: { name } });
const SYSTEM_ACCOUNTS: Subject = { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } };
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];

const onResources = (
  verbs: string[],
  apiGroups: string[],
  resources: string[],
  clusterScope: boolean,
): NonNullable<Rules['resourceRules']>[number] => ({
  verbs,
  apiGroups,
  resources,
  namespaces: ['*'],
  ...(clusterScope ? { clusterScope } : {}),
});

const everythingBy = (...subjects: Subject[]): Rules => ({
  subjects,
  resourceRules: [onResources(['*'], ['*'], ['*'], true)],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
});

const schema = (
  level: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rules: Rules,
): FlowSchemaSpec => ({
  priorityLevelConfiguration: { name: level },
  matchingPrecedence,
  ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
  rules: [rules],
});

const LEASES = 'coordination.k8s.io';

export const FLOW_SCHEMAS: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: schema('exempt', 1, undefined, everythingBy(group('system:masters'))),
  probes: schema('exempt', 2, undefined, {
    subjects: EVERYBODY,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  'system-leader-election': schema('leader-election', 100, 'ByUser', {
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), SYSTEM_ACCOUNTS],
    resourceRules: [onResources(['get', 'create', 'update'], [LEASES], ['leases'], false)],
  }),
  'system-node-high': schema('node-high', 400, 'ByUser', {
    subjects: [group('system:nodes')],
    resourceRules: [
      onResources(['*'], [''], ['nodes', 'nodes/status'], true),
      onResources(['*'], [LEASES], ['leases'], false),
    ],
  }),
  'system-nodes': schema('system', 500, 'ByUser', everythingBy(group('system:nodes'))),
  'kube-controller-manager': schema(
    'workload-high',
    800,
    'ByNamespace',
    everythingBy(user('system:kube-controller-manager')),
  ),
  'kube-scheduler': schema('workload-high', 800, 'ByNamespace', everythingBy(user('system:kube-scheduler'))),
  'kube-system-service-accounts': schema('workload-high', 900, 'ByNamespace', everythingBy(SYSTEM_ACCOUNTS)),
  'service-accounts': schema('workload-low', 9000, 'ByUser', everythingBy(group('system:serviceaccounts'))),
  'global-default': schema('global-default', 9900, 'ByUser', everythingBy(...EVERYBODY)),
  'catch-all': schema('catch-all', 10000, 'ByUser', everythingBy(...EVERYBODY)),
};
