import t from 'tap';
import { clusterNetwork, MAX_CLUSTERS } from '../../../src/cluster/addresses.js';
import { claimHostRange } from '../../../src/cluster/host-range.js';

t.test('each cluster of a machine has load balancers of its own, apart from all nodes', t => {
  const rangeOf = (cluster: number, serviceClusterIpRange = '10.96.0.0/16'): string =>
    clusterNetwork({ serviceClusterIpRange, cluster }).loadBalancerCidr;
  t.equal(rangeOf(0), '172.18.255.0/24');
  t.equal(rangeOf(1), '172.18.254.0/24');
  t.equal(rangeOf(2, '10.96.0.0/16,fd00:10:96::/112'), '172.18.253.0/24,fc00:f853:ccd:e793::255:0/112');
  const all = Array.from({ length: MAX_CLUSTERS }, (_, cluster) => rangeOf(cluster));
  t.equal(new Set(all).size, MAX_CLUSTERS);
  t.notOk(all.includes('172.18.0.0/24'), 'there are the nodes');
  t.equal(
    clusterNetwork({ serviceClusterIpRange: '10.96.0.0/16', cluster: 3, loadBalancerCidr: '10.0.0.0/24' })
      .loadBalancerCidr,
    '10.0.0.0/24',
    'who says which has that',
  );
  t.end();
});

t.test(
  'a range says which it is',
  { skip: process.platform === 'linux' ? false : 'only Linux has all of 127/8' },
  async t => {
    const first = await claimHostRange(['127.201.7', '127.201.8']);
    t.teardown(() => first.release());
    const second = await claimHostRange(['127.201.7', '127.201.8']);
    t.teardown(() => second.release());
    t.same([first.number, second.number], [7, 8]);
    t.same([first.addressOf(0), second.addressOf(1)], ['127.201.7.1', '127.201.8.2']);
  },
);
