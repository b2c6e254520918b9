import { forbidden, invalid, path } from '../../../machinery/field-error.js';
import type { FieldError } from '../../../machinery/field-error.js';
import { isHeadless, needsHealthCheck, specOf, type ReadonlyService, type ServiceSpec } from './service-spec.js';
import { checkLoadBalancerClass, checkService } from './service.js';

const SPEC = path('spec');

/** Cluster IPs and families stay once set, but for a second one that comes or goes with its policy. */
function checkStable(out: FieldError[], field: 'clusterIPs' | 'ipFamilies', spec: ServiceSpec, old: ServiceSpec): void {
  const [now, before] = [spec[field] ?? [], old[field] ?? []];
  const at = SPEC.child(field).index(0);
  const what = field === 'clusterIPs' ? 'clusterIP' : 'ipFamily';
  // Upstream shows the cluster IPs for both when lengths differ.
  const shown = field === 'clusterIPs' || now.length === before.length ? now : (spec.clusterIPs ?? []);
  if (now.length === before.length) {
    before.forEach((value, i) => {
      if (value === now[i]) return;
      const item = field === 'clusterIPs' ? SPEC.child(field).index(i) : at;
      out.push(invalid(item, now, 'may not change once set'));
    });
    return;
  }
  if (now.length < before.length && (spec.clusterIPs ?? []).length === 0)
    out.push(invalid(at, now, `primary ${what} can not be unset`));
  if (before.length > 0 && now.length > 0 && now[0] !== before[0])
    out.push(invalid(at, shown, 'may not change once set'));
  if (now.length < before.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const text = `must be set to 'SingleStack' when releasing the secondary ${what}`;
    out.push(invalid(SPEC.child('ipFamilyPolicy'), spec.ipFamilyPolicy ?? null, text));
  }
}

export function checkServiceUpdate(out: FieldError[], service: ReadonlyService, old: ReadonlyService): void {
  const [spec, before] = [specOf(service), specOf(old)];
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const [headless, wasHeadless] = [isHeadless(spec), isHeadless(before)];
    if (!(headless && wasHeadless)) checkStable(out, 'clusterIPs', spec, before);
    if (!headless && !wasHeadless) checkStable(out, 'ipFamilies', spec, before);
  }
  if (
    spec.type === 'LoadBalancer' &&
    before.type === 'LoadBalancer' &&
    spec.loadBalancerClass !== before.loadBalancerClass
  )
    out.push(invalid(SPEC.child('loadBalancerClass'), spec.loadBalancerClass ?? null, 'may not change once set'));
  // Upstream checks the class with the change, and with the rest once more.
  checkLoadBalancerClass(out, spec);
  if (needsHealthCheck(spec) && needsHealthCheck(before) && spec.healthCheckNodePort !== before.healthCheckNodePort)
    out.push(forbidden(SPEC.child('healthCheckNodePort'), 'field is immutable'));
  checkService(out, service);
}
