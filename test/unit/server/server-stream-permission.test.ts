import t from 'tap';
import { NO_RULES, type Attributes } from '../../../src/server/auth/authorizer.js';
import { podConnections } from '../../../src/kinds/core/pod/pod-connect.js';
import { startFakeApi } from '../../support/fake-api.js';

t.test('streams into a Pod need create, whatever the method', async t => {
  const asked: Attributes[] = [];
  const api = await startFakeApi({
    strategies: { pods: { subresources: podConnections } },
    authorizer: {
      authorize(attributes) {
        asked.push(attributes);
        return { decision: attributes.verb === 'get' ? 'allow' : 'noOpinion', reason: '' };
      },
      rulesFor: () => NO_RULES,
    },
  });
  t.teardown(() => api.close());
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol': 'v5.channel.k8s.io',
  };
  const rows: { name: string; headers?: Record<string, string>; expect: number; verbs: string[] }[] = [
    { name: 'exec', headers: upgrade, expect: 403, verbs: ['get', 'create'] },
    { name: 'attach', headers: upgrade, expect: 403, verbs: ['get', 'create'] },
    { name: 'portforward', headers: upgrade, expect: 403, verbs: ['get', 'create'] },
    { name: 'exec', expect: 403, verbs: ['get', 'create'] },
    { name: 'log', expect: 404, verbs: ['get'] },
    { name: 'proxy/', expect: 404, verbs: ['get'] },
  ];
  for (const { name, headers = {}, expect, verbs } of rows) {
    asked.length = 0;
    const { status, body } = await api.request('GET', `/api/v1/namespaces/d/pods/p/${name}`, { headers });
    t.equal(status, expect, name);
    t.same(
      asked.map(attributes => attributes.verb),
      verbs,
      `${name}: what is asked`,
    );
    if (expect === 403) t.match(body, { message: 'pods "p" is forbidden: ', details: { name: 'p', kind: 'pods' } });
  }
});
