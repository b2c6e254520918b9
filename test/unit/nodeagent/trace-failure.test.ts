import t from 'tap';
import { NetworkError } from '../../../src/containers/network/errors.js';
import type { NetworkStep } from '../../../src/containers/network/types.js';
import { explainFailure } from '../../../src/nodeagent/kubelet-api/trace-failure.js';

const flow = { proto: 'tcp', src: '10.244.1.2', srcPort: 4000, dst: '10.96.0.20', dstPort: 80 } as const;
const translated = (dstPort: number, direction: 'request' | 'reply' = 'request'): NetworkStep => ({
  kind: 'netfilter',
  node: 'node-1',
  direction,
  hook: 'prerouting',
  in: flow,
  out: { ...flow, dst: '10.244.2.2', dstPort },
  verdict: 'accept',
  rules: [],
});
const route = (via: string): NetworkStep => ({ kind: 'route', node: 'node-1', destination: '10.244.2.2', via });
const dropped = (kind: 'networkPolicy' | 'rule', effect: string): NetworkStep =>
  ({ ...translated(80), verdict: 'drop', rules: [{ kind, hook: 'postrouting', effect }] }) as NetworkStep;
const delivered: NetworkStep = { kind: 'deliver', node: 'node-1', to: 'pod default/me', flow };

t.test('why a traced connection failed', async t => {
  const refused = new NetworkError('ECONNREFUSED');
  const rows = [
    {
      name: 'nobody listens behind a Service, two nodes away',
      error: refused,
      steps: [translated(8080), route('node node-2'), translated(8080), route('pod default/b')],
      expect: 'Connection refused: nothing listens on tcp port 8080 of pod default/b',
    },
    {
      name: 'nobody listens in the Pod itself',
      error: refused,
      steps: [delivered],
      expect: 'Connection refused: nothing listens on tcp port 80 of pod default/me',
    },
    {
      name: 'a rule refuses',
      error: new NetworkError('ECONNREFUSED', 'rejected with icmp-port-unreachable'),
      steps: [translated(80)],
      expect: 'Connection refused (rejected with icmp-port-unreachable)',
    },
    {
      name: 'a policy drops',
      error: new NetworkError('ETIMEDOUT', 'dropped'),
      steps: [translated(80), route('node node-1'), dropped('networkPolicy', 'drop: NetworkPolicy a/b selects a/c')],
      expect: 'Connection timed out (dropped on node-1: NetworkPolicy a/b selects a/c)',
    },
    {
      name: 'a rule drops',
      error: new NetworkError('ETIMEDOUT', 'dropped'),
      steps: [dropped('rule', 'drop')],
      expect: 'Connection timed out (dropped)',
    },
    {
      name: 'a peer that tells nothing of its steps',
      error: new NetworkError('ETIMEDOUT', 'dropped'),
      steps: [],
      expect: 'Connection timed out (dropped)',
    },
    { name: 'before anything happened', error: refused, steps: [], expect: 'Connection refused' },
    {
      name: 'another fault',
      error: new Error('self-signed certificate'),
      steps: [route('pod x/y')],
      expect: 'self-signed certificate',
    },
  ];
  for (const { name, error, steps, expect } of rows)
    t.equal(explainFailure(error, steps, { protocol: 'tcp', port: 80 }), expect, name);
});
