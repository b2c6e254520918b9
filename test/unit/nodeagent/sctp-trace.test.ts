import t from 'tap';
import type { NetStream, NetworkStep } from '../../../src/containers/network/types.js';
import { PROXY_MODES } from '../../../src/dataplane/proxiers/modes.js';
import { service, slice, twoNodes } from '../../support/two-nodes.js';

const [HERE, THERE, EMPTY] = ['10.96.0.40', '10.96.0.41', '10.96.0.42'];
const NODE_PORT = 30132;
const ports = (more: object = {}) => [{ port: 132, protocol: 'SCTP', ...more }];
const SERVICES = {
  services: [
    service('here', { clusterIP: HERE, ports: ports() }),
    service('there', { type: 'NodePort', clusterIP: THERE, ports: ports({ nodePort: NODE_PORT }) }),
    service('empty', { clusterIP: EMPTY, ports: ports() }),
  ],
  slices: [
    slice('here', 'SCTP', 1132, ['10.244.1.3', 'node-1']),
    slice('there', 'SCTP', 1132, ['10.244.2.2', 'node-2']),
  ],
};

/** What became of a first packet, and how the nodes saw it. */
const summary = (steps: readonly NetworkStep[]): string[] =>
  steps.map(step => {
    if (step.kind === 'netfilter') return `${step.node} ${step.direction} to ${step.out.dst}:${step.out.dstPort}`;
    return step.kind === 'deliver' ? `${step.node} delivers to ${step.to}` : `${step.node} ${step.kind}`;
  });

for (const mode of PROXY_MODES)
  t.test(`${mode}: the way of SCTP`, async t => {
    const { one, two, close } = await twoNodes({ ...SERVICES, mode });
    const pod = one.network.attach(['10.244.1.2'], 'pod default/a');
    // What is sent to the first of them nobody takes.
    one.network.attach(['10.244.1.3'], 'pod default/b');
    two.network.attach(['10.244.2.2'], 'pod default/c').listen(1132, () => undefined, { protocol: 'sctp' });
    const trace = async (send: (observe: (step: NetworkStep) => void) => Promise<NetStream>): Promise<string[]> => {
      const steps: NetworkStep[] = [];
      try {
        (await send(step => steps.push(step))).destroy();
      } catch (error) {
        return [(error as { code?: string }).code ?? String(error), ...summary(steps)];
      }
      return summary(steps);
    };
    const fromPod = (address: string, port = 132): Promise<string[]> =>
      trace(observe => pod.connect({ address, port }, { observe, protocol: 'sctp' }));
    const toThere = [
      'node-1 request to 10.244.2.2:1132',
      'node-1 route',
      'node-2 request to 10.244.2.2:1132',
      'node-2 route',
      'node-2 delivers to pod default/c',
    ];
    // kube-proxy's userspace mode relayed no SCTP, so that no rule takes it.
    const has = mode !== 'userspace';

    t.match(
      await fromPod(HERE),
      has ? ['ECONNREFUSED', 'node-1 request to 10.244.1.3:1132', 'node-1 route', 'node-1 fail'] : ['EHOSTUNREACH'],
      'to a Pod of this node, which does not listen',
    );
    t.match(
      await fromPod(THERE),
      has ? [...toThere, /^node-2 reply to 10\.244\.1\.2:/, /^node-1 reply to 10\.244\.1\.2:/] : ['EHOSTUNREACH'],
      'to a Pod of another node',
    );
    t.match(
      await trace(observe =>
        one.network.acceptSctp(
          { proto: 'sctp', src: '172.18.0.1', srcPort: 40_000, dst: one.nodeIP, dstPort: NODE_PORT },
          { observe },
        ),
      ),
      has
        ? [...toThere, /^node-2 reply to 172\.18\.0\.2:/, 'node-1 reply to 172.18.0.1:40000']
        : ['ECONNREFUSED', 'node-1 request to 172.18.0.2:30132', 'node-1 route', 'node-1 fail'],
      'to a node port, from outside',
    );
    t.match(await fromPod(EMPTY), [has ? 'ECONNREFUSED' : 'EHOSTUNREACH'], 'without endpoints');
    pod.listen(132, () => undefined, { protocol: 'sctp' });
    t.match(await fromPod('10.244.1.2'), ['node-1 delivers to pod default/a'], 'to itself');
    close();
  });
