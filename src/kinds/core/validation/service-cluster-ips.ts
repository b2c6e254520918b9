import { duplicate, invalid, notSupported, path, required } from '../../../machinery/field-error.js';
import type { FieldError } from '../../../machinery/field-error.js';
import { parseIP } from '../../../machinery/ip.js';
import { checkIp } from '../../validation/formats.js';
import { createRepeatCheck } from '../../../machinery/repeats.js';
import { legacyIpFamily } from '../../../machinery/legacy-ip.js';
import { isHeadless, type ServiceSpec } from './service-spec.js';

const SPEC = path('spec');

const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

const isDualStack = (ips: readonly string[]): boolean => new Set(ips.map(legacyIpFamily)).size === 2;

/** clusterIP(s), ipFamilies and ipFamilyPolicy among themselves; runs before allocation and as part of validation. */
export function checkClusterIps(out: FieldError[], spec: ServiceSpec): void {
  if (spec.type === 'ExternalName') return;
  const at = SPEC.child('clusterIPs');
  const ips = spec.clusterIPs ?? [];
  if (spec.clusterIP) {
    if (ips.length === 0) out.push(required(at));
    else if (ips[0] !== spec.clusterIP) out.push(invalid(at, ips, 'first value must match `clusterIP`'));
  } else if (ips.length > 0) out.push(invalid(at, ips, 'must be empty when `clusterIP` is not specified'));
  const families = spec.ipFamilies ?? [];
  const again = createRepeatCheck<string>();
  families.forEach((family, i) => {
    const item = SPEC.child('ipFamilies').index(i);
    if (!FAMILIES.includes(family)) out.push(notSupported(item, family, FAMILIES));
    if (again(family)) out.push(duplicate(item, family));
  });
  const policy = spec.ipFamilyPolicy;
  if (policy !== undefined && !FAMILY_POLICIES.includes(policy))
    out.push(notSupported(SPEC.child('ipFamilyPolicy'), policy, FAMILY_POLICIES));
  let malformed = false;
  ips.forEach((ip, i) => {
    if (i === 0 && ip === 'None') {
      if (ips.length === 1) return;
      malformed = true;
      out.push(invalid(at, ips, "'None' must be the first and only value"));
      return;
    }
    if (parseIP(ip) === undefined) malformed = true;
    checkIp(out, at.index(i), ip);
  });
  if (ips.length > 2) out.push(invalid(at, ips, 'may only hold up to 2 values'));
  if (malformed) return;
  if (ips.length > 1 && !isDualStack(ips))
    out.push(invalid(at, ips, 'may specify no more than one IP for each IP family'));
  if (isHeadless(spec)) return;
  ips.forEach((ip, i) => {
    const family = families[i];
    if (family === undefined) return;
    if ((family === 'IPv4' || family === 'IPv6') && legacyIpFamily(ip) !== family)
      out.push(invalid(at.index(i), ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``));
  });
}
