import t from 'tap';
import { createAddressPool } from '../../../src/controllers/servicelb/address-pool.js';
import { loadBalancerChange } from '../../../src/controllers/servicelb/changes.js';
import type { Service } from '../../../src/machinery/types.js';

type Spec = NonNullable<Service['spec']>;

const service = (spec: Spec = {}): Service => ({
  metadata: { namespace: 'shop', name: 'web', uid: 'uid' },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
});

t.test('which changes concern a load balancer', async t => {
  const rows: { name: string; old?: Spec; next: Spec; expect: string | undefined }[] = [
    { name: 'none', next: {}, expect: undefined },
    { name: 'the selector', next: { selector: { app: 'a' } }, expect: undefined },
    { name: 'of another type', old: { type: 'NodePort' }, next: { type: 'ClusterIP' }, expect: undefined },
    { name: 'ports', next: { ports: [{ port: 80, nodePort: 30000 }] }, expect: '' },
    { name: 'affinity', next: { sessionAffinity: 'ClientIP' }, expect: '' },
    {
      name: 'its duration',
      next: { sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
      expect: '',
    },
    { name: 'type', old: { type: 'ClusterIP' }, next: {}, expect: 'Type: ClusterIP -> LoadBalancer' },
    {
      name: 'source ranges',
      next: { loadBalancerSourceRanges: ['10.0.0.0/8', '11.0.0.0/8'] },
      expect: 'LoadBalancerSourceRanges: [] -> [10.0.0.0/8 11.0.0.0/8]',
    },
    { name: 'the address', next: { loadBalancerIP: '172.18.255.1' }, expect: 'LoadbalancerIP:  -> 172.18.255.1' },
    { name: 'more external addresses', next: { externalIPs: ['1.2.3.4'] }, expect: 'ExternalIP: Count: 0 -> 1' },
    {
      name: 'other external addresses',
      old: { externalIPs: ['1.2.3.4'] },
      next: { externalIPs: ['1.2.3.5'] },
      expect: 'ExternalIP: Added: 1.2.3.5',
    },
    {
      name: 'the policy',
      old: { externalTrafficPolicy: 'Cluster' },
      next: { externalTrafficPolicy: 'Local' },
      expect: 'ExternalTrafficPolicy: Cluster -> Local',
    },
    { name: 'a family more', old: { ipFamilies: ['IPv4'] }, next: { ipFamilies: ['IPv4', 'IPv6'] }, expect: '' },
    { name: 'the health port', next: { healthCheckNodePort: 30001 }, expect: 'HealthCheckNodePort: 0 -> 30001' },
  ];
  for (const { name, old, next, expect } of rows) {
    const change = loadBalancerChange(service(old), service(next));
    const { event } = change ?? {};
    const told = event === undefined ? '' : `${event.reason}: ${event.message}`;
    t.equal(change === undefined ? undefined : told, expect, name);
  }
});

t.test('a pool of addresses', async t => {
  const sizes = [
    { cidr: '10.0.0.0/24', first: '10.0.0.1', count: 254 },
    { cidr: '10.0.0.8/30', first: '10.0.0.9', count: 2 },
    { cidr: '10.0.0.8/31', first: '10.0.0.8', count: 2 },
    { cidr: '10.0.0.8/32', first: '10.0.0.8', count: 1 },
    { cidr: 'fd00::/124', first: 'fd00::1', count: 14 },
  ];
  for (const { cidr, first, count } of sizes) {
    const pool = createAddressPool(cidr);
    t.equal(pool.takeLowest('0'), first, cidr);
    for (let i = 1; i < count; i++) t.type(pool.takeLowest(String(i)), 'string');
    t.ok(pool.isFull, `${cidr} is full`);
    t.equal(pool.takeLowest('more'), undefined);
    t.ok(pool.release('0'));
    t.notOk(pool.release('0'), 'once');
    t.ok(pool.isFree(first));
    t.equal(pool.takeLowest('more'), first, 'what is free again is given again');
  }
  t.throws(() => createAddressPool('10.0.0.0/33'), RangeError);
});
