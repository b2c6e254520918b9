import t from 'tap';
import {
  aggregatedCore,
  aggregatedGroups,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from '../../../src/api/discovery.js';
import { catalog } from '../../support/schemas.js';

t.test('discovery', async t => {
  t.strictSame(apiVersions('127.0.0.1:6443'), {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
  });
  const groups = (apiGroupList(catalog) as { groups: { name: string }[] }).groups.map(group => group.name);
  t.strictSame(groups.slice(0, 4), ['apiregistration.k8s.io', 'apps', 'events.k8s.io', 'authentication.k8s.io']);
  t.strictSame(apiGroup(catalog, 'autoscaling'), {
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'autoscaling',
    versions: [
      { groupVersion: 'autoscaling/v2', version: 'v2' },
      { groupVersion: 'autoscaling/v1', version: 'v1' },
    ],
    preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
  });
  t.equal(apiGroup(catalog, 'nope'), undefined);
  const core = apiResourceList(catalog, '', 'v1') as { resources: { name: string }[] };
  t.notOk('apiVersion' in core);
  const named = (name: string) => core.resources.find(resource => resource.name === name);
  t.strictSame(named('namespaces'), {
    name: 'namespaces',
    singularName: 'namespace',
    namespaced: false,
    kind: 'Namespace',
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['ns'],
    storageVersionHash: 'Q3oi5N2YM8M=',
  });
  t.strictSame(named('pods/eviction'), {
    name: 'pods/eviction',
    singularName: '',
    namespaced: true,
    group: 'policy',
    version: 'v1',
    kind: 'Eviction',
    verbs: ['create'],
  });
  const names = core.resources.map(resource => resource.name);
  t.strictSame(names, [...names].sort(), 'in order of name');
  const aggregated = aggregatedGroups(catalog, 'v2') as {
    items: { metadata: { name: string }; versions: { resources: { resource: string }[] }[] }[];
  };
  const apps = aggregated.items.find(item => item.metadata.name === 'apps');
  t.strictSame(
    apps?.versions[0]?.resources.find(resource => resource.resource === 'replicasets'),
    {
      resource: 'replicasets',
      responseKind: { group: '', version: '', kind: 'ReplicaSet' },
      scope: 'Namespaced',
      singularResource: 'replicaset',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['rs'],
      categories: ['all'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: '', version: '', kind: 'ReplicaSet' },
          verbs: ['get', 'patch', 'update'],
        },
      ],
    },
  );
  t.match(aggregatedCore(catalog, 'v2beta1'), { apiVersion: 'apidiscovery.k8s.io/v2beta1', items: [{ metadata: {} }] });
});
