import t from 'tap';
import { createStrategies } from '../../../src/kinds/index.js';
import { cloneJson } from '../../../src/machinery/json-equal.js';
import { isStatusError } from '../../../src/machinery/status.js';
import type { KubeObject, Service } from '../../../src/machinery/types.js';
import { kindDeps } from '../../support/kind-deps.js';
import { context } from '../../support/kinds.js';

type Spec = NonNullable<Service['spec']>;

const RANGES = { IPv4: '10.96.0.0/16', IPv6: 'fd00:10:96::/112' };
const V4 = [RANGES.IPv4];
const V6 = [RANGES.IPv6];
const DUAL = [...V4, ...V6];
const DUAL6 = [...V6, ...V4];

/** What is chosen, as "families policy addresses"; a random address is "4" or "6". */
function shown({ ipFamilies, ipFamilyPolicy, clusterIP, clusterIPs }: Spec, given: string): string {
  const text = (ip: string): string => (given.includes(`"${ip}"`) ? ip : ip.includes(':') ? '6' : '4');
  const first = clusterIPs?.[0] === clusterIP ? '' : ` but clusterIP ${clusterIP ?? ''}`;
  return `${(ipFamilies ?? []).join('+')} ${ipFamilyPolicy ?? ''} ${(clusterIPs ?? []).map(text).join('+')}${first}`;
}

/** Reserves for a Service over what others hold. */
async function reserve(
  serviceCidrs: readonly string[],
  spec: Spec,
  old: Spec | undefined,
  taken: readonly string[] = [],
): Promise<string> {
  const strategy = createStrategies({ ...kindDeps(), serviceCidrs })['services'];
  const service = (of: Spec): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'ns' },
    spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }], ...cloneJson(of) },
  });
  const object = service(spec);
  const held = taken.map(name => [`ipaddresses.networking.k8s.io//${name}`, { metadata: { name } }] as const);
  try {
    await strategy?.reserve?.(context(Object.fromEntries(held)), object, old && service(old));
  } catch (error) {
    if (isStatusError(error)) return (error as Error).message.replace('Service "a" is invalid: ', '');
    throw error;
  }
  return shown(object['spec'] as Spec, JSON.stringify([spec, old]));
}

const SINGLE = 'SingleStack';
const PREFER = 'PreferDualStack';
const REQUIRE = 'RequireDualStack';

t.test('families and addresses of a new Service', async t => {
  const noSelector = { clusterIP: 'None' };
  const rows: { name: string; cidrs: string[]; spec: Spec; expect: string; taken?: string[] }[] = [
    { name: 'the default', cidrs: DUAL, spec: {}, expect: `IPv4 ${SINGLE} 4` },
    { name: 'the default where IPv6 is first', cidrs: DUAL6, spec: {}, expect: `IPv6 ${SINGLE} 6` },
    { name: 'IPv6 alone', cidrs: V6, spec: {}, expect: `IPv6 ${SINGLE} 6` },
    { name: 'the other family', cidrs: DUAL, spec: { ipFamilies: ['IPv6'] }, expect: `IPv6 ${SINGLE} 6` },
    { name: 'both preferred', cidrs: DUAL, spec: { ipFamilyPolicy: PREFER }, expect: `IPv4+IPv6 ${PREFER} 4+6` },
    { name: 'preferred where there is one', cidrs: V4, spec: { ipFamilyPolicy: PREFER }, expect: `IPv4 ${PREFER} 4` },
    { name: 'both required', cidrs: DUAL6, spec: { ipFamilyPolicy: REQUIRE }, expect: `IPv6+IPv4 ${REQUIRE} 6+4` },
    {
      name: 'required where there is one',
      cidrs: V4,
      spec: { ipFamilyPolicy: REQUIRE },
      expect:
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    },
    {
      name: 'a family that there is not',
      cidrs: V6,
      spec: { ipFamilies: ['IPv4'] },
      expect: 'spec.ipFamilies[0]: Invalid value: "IPv4": not configured on this cluster',
    },
    {
      name: 'the order of the families',
      cidrs: DUAL,
      spec: { ipFamilies: ['IPv6', 'IPv4'], ipFamilyPolicy: REQUIRE },
      expect: `IPv6+IPv4 ${REQUIRE} 6+4`,
    },
    {
      name: 'two families, no policy',
      cidrs: DUAL,
      spec: { ipFamilies: ['IPv4', 'IPv6'] },
      expect:
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    },
    {
      name: 'an address says the family',
      cidrs: DUAL,
      spec: { clusterIP: 'fd00:10:96::7' },
      expect: `IPv6 ${SINGLE} fd00:10:96::7`,
    },
    {
      name: 'the second is chosen',
      cidrs: DUAL,
      spec: { clusterIP: 'fd00:10:96::7', ipFamilyPolicy: PREFER },
      expect: `IPv6+IPv4 ${PREFER} fd00:10:96::7+4`,
    },
    {
      name: 'IPv4 in the form of IPv6',
      cidrs: DUAL,
      spec: { clusterIP: '::ffff:10.96.0.7' },
      expect: `IPv4 ${SINGLE} ::ffff:10.96.0.7`,
    },
    {
      name: 'who has it is asked by its canonical name',
      cidrs: DUAL,
      spec: { clusterIP: '010.96.000.007' },
      taken: ['10.96.0.7'],
      expect:
        'spec.clusterIPs: Invalid value: ["010.96.000.007"]: failed to allocate IP 010.96.000.007: provided IP is already allocated',
    },
    {
      name: 'the second is taken',
      cidrs: DUAL,
      spec: { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:10:96::7'], ipFamilyPolicy: REQUIRE },
      taken: ['fd00:10:96::7'],
      expect:
        'spec.clusterIPs: Invalid value: ["10.96.0.7","fd00:10:96::7"]: failed to allocate IP fd00:10:96::7: provided IP is already allocated',
    },
    {
      name: 'those to be chosen are shown empty',
      cidrs: DUAL,
      spec: { clusterIP: '10.96.0.0', ipFamilyPolicy: REQUIRE },
      expect:
        'spec.clusterIPs: Invalid value: ["10.96.0.0",""]: failed to allocate IP 10.96.0.0: the provided network does not match the current range',
    },
    {
      name: 'an address of a family that there is not',
      cidrs: V4,
      spec: { clusterIP: 'fd00:10:96::7' },
      expect: 'spec.clusterIPs[0]: Invalid value: ["fd00:10:96::7"]: IPv6 is not configured on this cluster',
    },
    {
      name: 'headless with selector',
      cidrs: DUAL,
      spec: { ...noSelector, selector: { a: 'b' } },
      expect: `IPv4 ${SINGLE} None`,
    },
    { name: 'headless without', cidrs: V6, spec: noSelector, expect: `IPv6+IPv4 ${REQUIRE} None` },
    {
      name: 'headless without, one family',
      cidrs: DUAL,
      spec: { ...noSelector, ipFamilies: ['IPv6'], ipFamilyPolicy: SINGLE },
      expect: `IPv6 ${SINGLE} None`,
    },
    { name: 'an alias has none', cidrs: DUAL, spec: { type: 'ExternalName', externalName: 'a.b' }, expect: '  ' },
  ];
  for (const { name, cidrs, spec, taken, expect } of rows)
    t.equal(await reserve(cidrs, spec, undefined, taken), expect, name);
});

t.test('families and addresses of a Service that changes', async t => {
  const IP = '10.96.0.7';
  const IP6 = 'fd00:10:96::7';
  const one: Spec = { clusterIP: IP, clusterIPs: [IP], ipFamilies: ['IPv4'], ipFamilyPolicy: SINGLE };
  const both: Spec = {
    clusterIP: IP,
    clusterIPs: [IP, IP6],
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: REQUIRE,
  };
  const alias: Spec = { type: 'ExternalName', externalName: 'a.b' };
  const prefersOne = { ...one, ipFamilyPolicy: PREFER };
  const rows: { name: string; cidrs?: string[]; old: Spec; spec: Spec; expect: string; taken?: string[] }[] = [
    { name: 'nothing is said', old: both, spec: {}, expect: `IPv4+IPv6 ${REQUIRE} ${IP}+${IP6}` },
    { name: 'one joins', old: one, spec: { ...one, ipFamilyPolicy: PREFER }, expect: `IPv4+IPv6 ${PREFER} ${IP}+6` },
    {
      name: 'one that is named joins',
      old: one,
      spec: { ...one, clusterIPs: [IP, IP6], ipFamilyPolicy: REQUIRE },
      expect: `IPv4+IPv6 ${REQUIRE} ${IP}+${IP6}`,
    },
    {
      name: 'one that is taken does not',
      old: one,
      spec: { ...one, clusterIPs: [IP, IP6], ipFamilyPolicy: REQUIRE },
      taken: [IP6],
      expect: `spec.clusterIPs: Invalid value: ["${IP}","${IP6}"]: failed to allocate IP ${IP6}: provided IP is already allocated`,
    },
    {
      name: 'the policy alone lets one go',
      old: both,
      spec: { ...both, ipFamilyPolicy: SINGLE },
      expect: `IPv4 ${SINGLE} ${IP}`,
    },
    {
      name: 'without it none goes',
      old: both,
      spec: { ...both, ipFamilies: ['IPv4'], clusterIPs: [IP] },
      expect:
        '[spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary cluster IP, spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary IP family]',
    },
    { name: 'who prefers two keeps one', old: prefersOne, spec: prefersOne, expect: `IPv4 ${PREFER} ${IP}` },
    {
      name: 'and keeps two where there is one',
      cidrs: V4,
      old: { ...both, ipFamilyPolicy: PREFER },
      spec: { ...both, ipFamilyPolicy: PREFER },
      expect: `IPv4+IPv6 ${PREFER} ${IP}+${IP6}`,
    },
    { name: 'no alias any more', old: alias, spec: { ipFamilyPolicy: REQUIRE }, expect: `IPv4+IPv6 ${REQUIRE} 4+6` },
    {
      name: 'an alias from now on',
      old: both,
      spec: { ...alias, ...both },
      expect: `IPv4+IPv6 ${REQUIRE} ${IP}+${IP6}`,
    },
    {
      name: 'an older client clears the address',
      old: both,
      spec: { ...both, clusterIP: '' },
      expect: `IPv4+IPv6 ${REQUIRE} ${IP}+${IP6}`,
    },
    {
      name: 'headless gains a family',
      old: {
        clusterIP: 'None',
        clusterIPs: ['None'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: SINGLE,
        selector: { a: 'b' },
      },
      spec: { clusterIP: 'None', selector: { a: 'b' }, ipFamilyPolicy: PREFER, ipFamilies: ['IPv4'] },
      expect: `IPv4+IPv6 ${PREFER} None`,
    },
  ];
  for (const { name, cidrs = DUAL, old, spec, taken, expect } of rows)
    t.equal(await reserve(cidrs, spec, old, taken), expect, name);
});

t.test('what a Service with two addresses holds', async t => {
  const strategy = createStrategies({ ...kindDeps(), serviceCidrs: DUAL })['services'];
  const service = {
    metadata: { name: 'a', namespace: 'ns' },
    spec: { type: 'ClusterIP', clusterIPs: ['010.96.0.7', 'FD00:10:96:0::7'] },
  };
  const held = strategy?.reservations?.heldBy(service) ?? [];
  t.same(
    held.map(({ object: { metadata } }) => [metadata.name, metadata.labels?.['ipaddress.kubernetes.io/ip-family']]),
    [
      ['10.96.0.7', 'IPv4'],
      ['fd00:10:96::7', 'IPv6'],
    ],
  );
});
