import t from 'tap';
import { discoverPreferred, failingText } from '../../../src/client/discovery.js';
import type { Client } from '../../../src/client/types.js';
import { StatusError } from '../../../src/machinery/status.js';

const group = (name: string, ...versions: string[]) => {
  const all = versions.map(version => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
};
const list = (...names: string[]) => ({
  resources: names.map(name => ({ name, kind: name, namespaced: true, verbs: ['list'] })),
});
const clientOf = (answers: Record<string, unknown>): Client =>
  ({
    request: async (_method: string, path: string) => {
      const answer = answers[path];
      if (answer instanceof Error) throw answer;
      return answer ?? Promise.reject(new StatusError(404, 'NotFound', '404 page not found'));
    },
  }) as unknown as Client;

const GROUPS = [
  group('apps', 'v1'),
  group('down.example', 'v1'),
  group('lies.example', 'v2', 'v1'),
  group('gone.example', 'v1'),
];
const ANSWERS = {
  '/apis': { groups: GROUPS },
  '/api/v1': list('pods', 'pods/log'),
  '/apis/apps/v1': list('deployments'),
  '/apis/down.example/v1': new StatusError(503, 'ServiceUnavailable', 'service unavailable'),
  '/apis/lies.example/v2': { resources: 'many' },
  '/apis/lies.example/v1': list('things'),
};

t.test('a server that is down keeps only its own resources from being known', async t => {
  const { resources, failing } = await discoverPreferred(clientOf(ANSWERS));
  t.strictSame(
    resources.map(({ ref }) => `${ref.resource}.${ref.group}`),
    ['pods.', 'deployments.apps', 'things.lies.example'],
  );
  t.strictSame(failing, ['down.example/v1', 'lies.example/v2'], 'what nobody serves is not failing');
  t.equal(
    failingText(['a/v1', 'b/v1']),
    'unable to retrieve the complete list of server APIs: a/v1: stale GroupVersion discovery: a/v1, b/v1: stale GroupVersion discovery: b/v1',
  );
});

t.test('without the API server’s own there is nothing to say', async t => {
  await t.rejects(
    discoverPreferred(clientOf({ ...ANSWERS, '/api/v1': new StatusError(503, 'ServiceUnavailable', 'x') })),
  );
});

t.test('a server that tells of everything at once is asked twice', async t => {
  const resource = (name: string) => ({
    resource: name,
    responseKind: { group: '', version: '', kind: name },
    scope: name === 'nodes' ? 'Cluster' : 'Namespaced',
    verbs: ['list'],
    subresources: [{ subresource: 'status', responseKind: { kind: name }, verbs: ['get'] }],
  });
  const versions = (...given: [string, string, ...string[]][]) =>
    given.map(([version, freshness, ...names]) => ({ version, freshness, resources: names.map(resource) }));
  const of = (...items: object[]) => ({ kind: 'APIGroupDiscoveryList', items });
  const asked: string[] = [];
  const client = clientOf({
    '/api': of({ metadata: {}, versions: versions(['v1', 'Current', 'nodes', 'pods']) }),
    '/apis': of(
      {
        metadata: { name: 'apps' },
        versions: versions(['v1', 'Current', 'deployments'], ['v1beta1', 'Current', 'deployments', 'old']),
      },
      { metadata: { name: 'down.example' }, versions: versions(['v1', 'Stale', 'things']) },
      { metadata: { name: 'none.example' } },
      {
        metadata: { name: 'odd.example' },
        versions: [{ version: 'v1', resources: [{ resource: 'kindless', verbs: [] }] }],
      },
    ),
  });
  const counting = {
    ...client,
    request: (method: string, path: string) => (asked.push(path), client.request(method, path)),
  };
  const { resources, failing } = await discoverPreferred(counting);
  t.strictSame(asked, ['/apis', '/api']);
  t.strictSame(failing, ['down.example/v1']);
  t.strictSame(
    resources.map(({ ref, kind, versions }) =>
      [ref.resource, ref.group, ref.namespaced, kind, versions.join()].join(' '),
    ),
    [
      'nodes  false nodes v1',
      'pods  true pods v1',
      'deployments apps true deployments v1,v1beta1',
      'old apps true old v1beta1',
    ],
  );
});
