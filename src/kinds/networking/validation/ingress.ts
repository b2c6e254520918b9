import { forbidden, invalid, notSupported, path, required, tooLong } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { parseIP } from '../../../machinery/ip.js';
import type { DeepReadonly, Ingress, IngressClass } from '../../../machinery/types.js';
import { nameIsPathSegment } from '../../../machinery/validation/names.js';
import * as formats from '../../validation/formats.js';

const { list } = formats;

type Spec = NonNullable<DeepReadonly<Ingress>['spec']>;
type Rule = NonNullable<Spec['rules']>[number];
type HttpPath = NonNullable<Rule['http']>['paths'][number];
type Backend = NonNullable<Spec['defaultBackend']>;
interface Reference {
  readonly apiGroup?: string | null;
  readonly kind?: string;
  readonly name?: string;
}

function checkReference(out: FieldError[], at: FieldPath, reference: Reference): void {
  if (reference.apiGroup !== undefined && reference.apiGroup !== null)
    for (const text of formats.dnsSubdomainErrors(reference.apiGroup))
      out.push(invalid(at.child('apiGroup'), reference.apiGroup, text));
  for (const field of ['kind', 'name'] as const) {
    const value = reference[field] ?? '';
    if (value === '') out.push(required(at.child(field)));
    else for (const text of nameIsPathSegment(value, false)) out.push(invalid(at.child(field), value, text));
  }
}

function checkBackend(out: FieldError[], at: FieldPath, backend: Backend | undefined): void {
  const { resource, service } = backend ?? {};
  if (resource !== undefined && service !== undefined)
    return void out.push(invalid(at, '', 'cannot set both resource and service backends'));
  if (resource !== undefined) return checkReference(out, at.child('resource'), resource);
  if (service === undefined) return void out.push(invalid(at, '', 'resource or service backend is required'));
  const nameAt = at.child('service', 'name');
  if (!service.name) out.push(required(nameAt));
  else formats.checkDns1035Label(out, nameAt, service.name);
  const { name = '', number = 0 } = service.port ?? {};
  if (name !== '' && number !== 0) out.push(invalid(at, '', 'cannot set both port name & port number'));
  else if (name !== '') formats.checkPortName(out, at.child('service', 'port', 'name'), name);
  else if (number !== 0) formats.checkPortNumber(out, at.child('service', 'port', 'number'), number);
  else out.push(required(at, 'port name or number is required'));
}

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_SUFFIXES = ['/..', '/.'];

function checkPath(out: FieldError[], at: FieldPath, item: HttpPath): void {
  const type = item.pathType as string | null | undefined;
  if (type === undefined || type === null)
    return void out.push(required(at.child('pathType'), 'pathType must be specified'));
  const field = at.child('path');
  const text = item.path ?? '';
  const absolute = 'must be an absolute path';
  if (type === 'Exact' || type === 'Prefix') {
    if (!text.startsWith('/')) out.push(invalid(field, text, absolute));
    for (const bad of BAD_SEQUENCES)
      if (text.includes(bad)) out.push(invalid(field, text, `must not contain '${bad}'`));
    for (const bad of BAD_SUFFIXES) if (text.endsWith(bad)) out.push(invalid(field, text, `cannot end with '${bad}'`));
  } else if (type === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) out.push(invalid(field, text, absolute));
  } else out.push(notSupported(at.child('pathType'), type, PATH_TYPES));
  checkBackend(out, at.child('backend'), item.backend);
}

function checkHost(out: FieldError[], at: FieldPath, host: string): void {
  if (host.includes('*')) formats.checkWildcardDnsSubdomain(out, at, host);
  else for (const text of formats.dnsSubdomainErrors(host)) out.push(invalid(at, host, text));
}

function checkRule(out: FieldError[], at: FieldPath, rule: Rule): void {
  const host = rule.host ?? '';
  if (host !== '') {
    if (parseIP(host) !== undefined) out.push(invalid(at.child('host'), host, 'must be a DNS name, not an IP address'));
    else checkHost(out, at.child('host'), host);
  }
  if (rule.http === undefined) return;
  const paths = at.child('http', 'paths');
  if (list(rule.http.paths).length === 0) out.push(required(paths));
  list(rule.http.paths).forEach((item, i) => checkPath(out, paths.index(i), item));
}

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

export function checkIngress(out: FieldError[], ingress: DeepReadonly<Ingress>, creating: boolean): void {
  const at = path('spec');
  const spec: Spec = ingress.spec ?? {};
  if (list(spec.rules).length === 0 && spec.defaultBackend === undefined)
    out.push(invalid(at, null, 'either `defaultBackend` or `rules` must be specified'));
  if (spec.defaultBackend !== undefined) checkBackend(out, at.child('defaultBackend'), spec.defaultBackend);
  list(spec.rules).forEach((rule, i) => checkRule(out, at.child('rules').index(i), rule));
  list(spec.tls).forEach((tls, i) => {
    const field = at.child('tls').index(i);
    list(tls.hosts).forEach((host, k) => checkHost(out, field.child('hosts').index(k), host));
    if (tls.secretName) formats.checkDnsSubdomain(out, field.child('secretName'), tls.secretName);
  });
  const className = spec.ingressClassName;
  if (className !== undefined) formats.checkDnsSubdomain(out, at.child('ingressClassName'), className);
  const annotation = ingress.metadata.annotations?.[CLASS_ANNOTATION];
  if (creating && annotation !== undefined && className !== undefined && annotation !== className)
    out.push(
      invalid(
        path('annotations').child(CLASS_ANNOTATION),
        annotation,
        'must match `ingressClassName` when both are specified',
      ),
    );
}

export function checkIngressStatus(out: FieldError[], ingress: DeepReadonly<Ingress>): void {
  const at = path('status', 'loadBalancer', 'ingress');
  list(ingress.status?.loadBalancer?.ingress).forEach((point, i) => {
    const field = at.index(i);
    if (point.ip) formats.checkIp(out, field.child('ip'), point.ip);
    if (!point.hostname) return;
    for (const text of formats.dnsSubdomainErrors(point.hostname))
      out.push(invalid(field.child('hostname'), point.hostname, text));
    if (parseIP(point.hostname) !== undefined)
      out.push(invalid(field.child('hostname'), point.hostname, 'must be a DNS name, not an IP address'));
  });
}

const MAX_CONTROLLER = 250;
const SCOPES = ['Cluster', 'Namespace'];

export function checkIngressClass(out: FieldError[], { spec }: DeepReadonly<IngressClass>): void {
  const at = path('spec');
  const controller = spec?.controller ?? '';
  if (controller.length > MAX_CONTROLLER) out.push(tooLong(at.child('controller'), MAX_CONTROLLER));
  formats.checkDomainPrefixedPath(out, at.child('controller'), controller);
  const parameters = spec?.parameters;
  if (parameters === undefined) return;
  const field = at.child('parameters');
  checkReference(out, field, parameters);
  const { scope, namespace } = parameters;
  if (scope === undefined) out.push(required(field.child('scope')));
  else if (!SCOPES.includes(scope)) out.push(notSupported(field.child('scope'), scope, SCOPES));
  if (scope === 'Namespace') {
    if (namespace === undefined)
      out.push(required(field.child('namespace'), "`parameters.scope` is set to 'Namespace'"));
    else formats.checkDnsLabel(out, field.child('namespace'), namespace);
  }
  if (scope === 'Cluster' && namespace !== undefined)
    out.push(forbidden(field.child('namespace'), "`parameters.scope` is set to 'Cluster'"));
}
