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
