import { forbidden, invalid, notSupported, path, required } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { parseIP } from '../../../machinery/ip.js';
import { checkDnsSubdomain, checkIp } from '../../validation/formats.js';
import { specOf, type ReadonlyService } from './service-spec.js';

const IP_MODES = ['Proxy', 'VIP'];
type Ingress = NonNullable<NonNullable<NonNullable<ReadonlyService['status']>['loadBalancer']>['ingress']>[number];

function checkIngress(out: FieldError[], at: FieldPath, ingress: Ingress): void {
  if (ingress.ip) checkIp(out, at.child('ip'), ingress.ip);
  const mode = ingress.ipMode;
  if (mode === undefined) {
    if (ingress.ip) out.push(required(at.child('ipMode'), 'must be specified when `ip` is set'));
  } else if (!ingress.ip) out.push(forbidden(at.child('ipMode'), 'may not be specified when `ip` is not set'));
  else if (!IP_MODES.includes(mode)) out.push(notSupported(at.child('ipMode'), mode, IP_MODES));
  if (!ingress.hostname) return;
  checkDnsSubdomain(out, at.child('hostname'), ingress.hostname);
  if (parseIP(ingress.hostname) !== undefined)
    out.push(invalid(at.child('hostname'), ingress.hostname, 'must be a DNS name, not an IP address'));
}

export function checkServiceStatus(out: FieldError[], service: ReadonlyService): void {
  const at = path('status', 'loadBalancer', 'ingress');
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0 && specOf(service).type !== 'LoadBalancer')
    return void out.push(forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'"));
  ingress.forEach((item, i) => checkIngress(out, at.index(i), item));
}
