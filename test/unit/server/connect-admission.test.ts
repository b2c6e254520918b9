import t from 'tap';
import { forbiddenError, isStatusError } from '../../../src/machinery/status.js';
import { nodeProxy } from '../../../src/kinds/core/proxy.js';
import { podConnections } from '../../../src/kinds/core/pod/pod-connect.js';
import type { AdmissionPlugin, AdmissionRequest } from '../../../src/server/admission/types.js';
import { fixture } from '../../support/registries.js';

const NS = 'ns';
const key = { namespace: NS, name: 'p' };

interface Asked {
  readonly name: string;
  readonly resource?: string;
  readonly subresource: string;
  readonly query?: string;
  readonly path?: string;
  /** What admission is shown; undefined: it is not asked. */
  readonly expect: object | undefined;
}

const rows: readonly Asked[] = [
  {
    name: 'exec',
    subresource: 'exec',
    query: 'command=sh&command=-c&container=c&stdin=true&stdout=1&tty=false',
    expect: { kind: 'PodExecOptions', container: 'c', command: ['sh', '-c'], stdin: true, stdout: true },
  },
  {
    name: 'attach',
    subresource: 'attach',
    query: 'stderr=true&command=none',
    expect: { kind: 'PodAttachOptions', stderr: true },
  },
  {
    name: 'portforward, ports in one parameter and in several',
    subresource: 'portforward',
    query: 'ports=80,81&ports=82',
    expect: { kind: 'PodPortForwardOptions', ports: [80, 81, 82] },
  },
  { name: 'a Pod’s proxy', subresource: 'proxy', path: '/a/b', expect: { kind: 'PodProxyOptions', path: '/a/b' } },
  { name: 'a node’s proxy', resource: 'nodes', subresource: 'proxy', expect: { kind: 'NodeProxyOptions' } },
  { name: 'logs are a read', subresource: 'log', expect: undefined },
];

t.test('connections go through admission, which may refuse them', async t => {
  const seen: AdmissionRequest[] = [];
  const refuse: AdmissionPlugin = {
    name: 'Refuse',
    admit: (_ctx, request) => void (request.operation === 'CONNECT' && seen.push(request)),
    validate(_ctx, { operation, resource }) {
      if (operation === 'CONNECT')
        throw forbiddenError({ group: '', resource: resource.plural }, 'p', 'no connections today');
    },
  };
  const strategies = { pods: { subresources: podConnections }, nodes: { subresources: { proxy: nodeProxy } } };
  const f = await fixture({ strategies, admission: [refuse] });
  t.teardown(f.close);
  const spec = { containers: [{ name: 'c', image: 'i' }], nodeName: 'n' };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec };
  await f.registry('pods').create(f.context(), NS, pod);

  for (const { name, resource = 'pods', subresource, query = '', path = '', expect } of rows) {
    seen.length = 0;
    const where = resource === 'pods' ? key : { namespace: '', name: 'n' };
    const asked = { query: new URLSearchParams(query), path };
    const answer = await f
      .registry(resource)
      .connect(f.context(), where, subresource, asked)
      .catch((error: unknown) => (isStatusError(error) ? error.status.message : Promise.reject(error as Error)));
    if (expect === undefined) {
      t.same(seen, [], name);
      t.match(answer, { kind: 'kubelet', node: 'n' }, name);
      continue;
    }
    t.match(answer, /no connections today/, name);
    t.same(seen[0]?.object, { apiVersion: 'v1', metadata: {}, ...expect }, name);
    t.match(seen[0], { operation: 'CONNECT', subresource, key: where }, name);
  }
});

t.test('a port that is none is refused before admission is asked', async t => {
  const f = await fixture({ strategies: { pods: { subresources: podConnections } } });
  t.teardown(f.close);
  const connect = (ports: string) =>
    f.registry('pods').connect(f.context(), key, 'portforward', { query: new URLSearchParams({ ports }), path: '' });
  const text = 'cannot convert to []int32: strconv.ParseUint: parsing';
  await t.rejects(connect('80,x'), { message: `${text} "x": invalid syntax` });
  await t.rejects(connect('65536'), { message: `${text} "65536": value out of range` });
});
