import t from 'tap';
import { AllocationError, createIpAllocator } from '../../../src/kinds/core/ip-allocator.js';
import { serviceRanges } from '../../../src/kinds/core/service-ranges.js';
import type { ServiceCIDR } from '../../../src/machinery/types.js';

interface Facts {
  readonly ready?: string;
  readonly deleting?: boolean;
}
const cidr = (cidrs: string[], { ready = 'True', deleting = false }: Facts = {}): ServiceCIDR => ({
  metadata: { name: cidrs[0] ?? '', ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { cidrs },
  ...(ready === ''
    ? {}
    : { status: { conditions: [{ type: 'Ready', status: ready, reason: '', message: '', lastTransitionTime: '' }] } }),
});

t.test('addresses of Services come from every range that is ready', async t => {
  const wide = cidr(['172.31.0.0/28', 'fd00:9::/124']);
  const notInRange = 'the provided network does not match the current range';
  const allocated = 'provided IP is already allocated';
  const rows: { name: string; cidrs: ServiceCIDR[]; ip: string; refused?: string }[] = [
    { name: 'of the server’s own', cidrs: [], ip: '10.0.0.1' },
    { name: 'of another', cidrs: [wide], ip: '172.31.0.1' },
    { name: 'of the second of two', cidrs: [cidr(['172.30.0.0/28']), wide], ip: '172.31.0.1' },
    { name: 'not of none', cidrs: [], ip: '172.31.0.1', refused: notInRange },
    { name: 'not the network address', cidrs: [wide], ip: '172.31.0.0', refused: notInRange },
    { name: 'nor the broadcast address', cidrs: [wide], ip: '172.31.0.15', refused: notInRange },
    { name: 'unless a wider one gives it', cidrs: [wide, cidr(['172.31.0.0/24'])], ip: '172.31.0.15' },
    { name: 'not one that is taken', cidrs: [wide], ip: '172.31.0.9', refused: allocated },
    {
      name: 'of one that no controller has spoken of',
      cidrs: [cidr(['172.31.0.0/28'], { ready: '' })],
      ip: '172.31.0.1',
    },
    {
      name: 'not of one that is not ready',
      cidrs: [cidr(['172.31.0.0/28'], { ready: 'False' })],
      ip: '172.31.0.1',
      refused: notInRange,
    },
    {
      name: 'nor of one that goes',
      cidrs: [cidr(['172.31.0.0/28'], { deleting: true })],
      ip: '172.31.0.1',
      refused: notInRange,
    },
    { name: 'nor of another family', cidrs: [wide], ip: 'fd00:9::1', refused: notInRange },
  ];
  const isTaken = (ip: string): boolean => ip === '172.31.0.9';
  for (const { name, cidrs, ip, refused } of rows) {
    const ranges = serviceRanges(
      createIpAllocator('10.0.0.0/30', () => 0),
      { list: () => cidrs },
      () => 0,
    );
    if (refused === undefined) t.doesNotThrow(() => ranges.check(ip, isTaken), name);
    else t.throws(() => ranges.check(ip, isTaken), new AllocationError(refused), name);
    t.equal(ranges.contains(ip), refused !== notInRange, `${name}: contains`);
  }
});

t.test('others give one when the own range is full', async t => {
  const taken = new Set<string>();
  const cidrs = [cidr(['172.30.0.0/30'], { deleting: true }), cidr(['172.31.0.0/30']), cidr(['fd00:9::/124'])];
  const own = createIpAllocator('10.0.0.0/30', () => 0);
  const ranges = serviceRanges(own, { list: () => cidrs }, () => 0);
  const next = (): string => {
    const ip = ranges.next(address => taken.has(address));
    taken.add(ip);
    return ip;
  };
  t.same([next(), next(), next(), next()], ['10.0.0.1', '10.0.0.2', '172.31.0.1', '172.31.0.2']);
  t.throws(next, new AllocationError('range is full'));
});
