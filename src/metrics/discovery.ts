import { API_VERSION } from './objects.js';

/** What the server says that it serves. */

const GROUP = 'metrics.k8s.io';
const VERSION = 'v1beta1';
const VERBS = ['get', 'list'];
const groupVersion = { groupVersion: API_VERSION, version: VERSION };

const RESOURCES = [
  { name: 'nodes', kind: 'NodeMetrics', namespaced: false },
  { name: 'pods', kind: 'PodMetrics', namespaced: true },
] as const;

export const apiResourceList = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: API_VERSION,
  resources: RESOURCES.map(({ name, kind, namespaced }) => ({
    name,
    singularName: '',
    namespaced,
    kind,
    verbs: VERBS,
  })),
};

const group = { name: GROUP, versions: [groupVersion], preferredVersion: groupVersion };
export const apiGroup = { kind: 'APIGroup', apiVersion: 'v1', ...group };
export const apiGroupList = { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };

export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
export const aggregatedDiscovery = {
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: GROUP },
      versions: [
        {
          version: VERSION,
          resources: RESOURCES.map(({ name, kind, namespaced }) => ({
            resource: name,
            responseKind: { group: '', version: '', kind },
            scope: namespaced ? 'Namespaced' : 'Cluster',
            singularResource: '',
            verbs: VERBS,
          })),
          freshness: 'Current',
        },
      ],
    },
  ],
};
