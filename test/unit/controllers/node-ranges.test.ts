import t from 'tap';
import { NODES } from '../../../src/client/resources.js';
import { clusterRanges, type NodeMaskSizes } from '../../../src/controllers/nodeipam/cluster-ranges.js';
import { nodeIpamController } from '../../../src/controllers/nodeipam/controller.js';
import type { Node } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';

const V4 = '10.244.0.0/16';
const V6 = 'fd00:10:244::/56';

t.test('--cluster-cidr and the sizes that go with it', async t => {
  const rows: { name: string; cidr: string; sizes?: NodeMaskSizes; expect?: string; refused?: RegExp }[] = [
    { name: 'IPv4', cidr: V4, expect: `${V4} in /24` },
    { name: 'IPv6', cidr: V6, expect: `${V6} in /64` },
    { name: 'both', cidr: `${V4},${V6}`, expect: `${V4} in /24, ${V6} in /64` },
    { name: 'the other way', cidr: `${V6},${V4}`, expect: `${V6} in /64, ${V4} in /24` },
    { name: 'a size', cidr: V4, sizes: { any: 25 }, expect: `${V4} in /25` },
    { name: 'the size of a family', cidr: V6, sizes: { IPv6: 60 }, expect: `${V6} in /60` },
    { name: 'sizes of both', cidr: `${V4},${V6}`, sizes: { IPv4: 20, IPv6: 72 }, expect: `${V4} in /20, ${V6} in /72` },
    { name: 'none', cidr: '', refused: /^Controller: Must specify --cluster-cidr if --allocate-node-cidrs is set$/ },
    { name: 'nonsense', cidr: 'a/b', refused: /^invalid CIDR address: a\/b$/ },
    { name: 'two of a family', cidr: `${V4},10.245.0.0/16`, refused: /^len of ClusterCIDRs==2 and they are not/ },
    { name: 'three', cidr: `${V4},${V6},10.245.0.0/16`, refused: /^length of clusterCIDRs is:3 more than max/ },
    {
      name: 'one size for two families',
      cidr: `${V4},${V6}`,
      sizes: { any: 24 },
      refused: /^usage of --node-cidr-mask-size is not allowed with dual-stack clusters$/,
    },
    {
      name: 'both kinds of flags',
      cidr: V4,
      sizes: { any: 24, IPv4: 24 },
      refused: /is not allowed if --node-cidr-mask-size is set/,
    },
    {
      name: 'of a family that is not',
      cidr: V6,
      sizes: { IPv4: 24 },
      refused: /not allowed for a single-stack IPv6 cluster/,
    },
    { name: 'nor the other', cidr: V4, sizes: { IPv6: 64 }, refused: /not allowed for a single-stack IPv4 cluster/ },
    { name: 'too small a range', cidr: '10.244.0.0/25', refused: /^Controller: Invalid --cluster-cidr, mask size of/ },
    { name: 'too many slices', cidr: 'fd00::/40', refused: /^New CIDR set failed; the node CIDR size is too big$/ },
  ];
  for (const { name, cidr, sizes = {}, expect, refused } of rows) {
    const text = (): string =>
      clusterRanges(cidr, sizes)
        .map(range => `${range.cidr} in /${range.maskSize}`)
        .join(', ');
    if (refused === undefined) t.equal(text(), expect, name);
    else t.throws(text, { name: 'RangeError', message: refused }, name);
  }
});

const node = (name: string, podCIDRs?: string[]): Node => ({
  metadata: { name, uid: `uid-${name}` },
  spec: podCIDRs === undefined ? {} : { podCIDR: podCIDRs[0] ?? '', podCIDRs },
});

t.test('ranges of Nodes', async t => {
  const cluster = createFakeCluster();
  cluster.load(NODES, node('own', ['10.244.0.0/24', 'fd00:10:244::/64']), node('a'), node('b'));
  const { reconcile } = nodeIpamController.build(cluster.context({ clusterCidr: `${V4},fd00:10:244::/63` }));
  const given = (name: string): Node['spec'] => (cluster.get(NODES, name) as Node | undefined)?.spec;
  await reconcile('a');
  t.match(given('a'), { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24', 'fd00:10:244:1::/64'] });
  const full = 'failed to allocate cidr from cluster cidr at idx:1: CIDR allocation failed';
  await t.rejects(reconcile('b'), { message: new RegExp(`^${full}`) });
  t.equal(given('b')?.podCIDRs, undefined);
  t.same(
    cluster.events.map(({ reason }) => reason),
    ['CIDRNotAvailable'],
  );
  await cluster.context({}).client.resource(NODES).delete({ namespace: '', name: 'own' });
  await reconcile('b');
  t.match(
    given('b'),
    { podCIDRs: ['10.244.0.0/24', 'fd00:10:244::/64'] },
    'what a Node leaves is free, of both families',
  );
});
