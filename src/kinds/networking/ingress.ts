import { errorList, path, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, Ingress, IngressClass } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, ingressWarnings, list } from '../validation/formats.js';
import { checkIngress, checkIngressClass, checkIngressStatus } from './validation/ingress.js';
import { ageCell, nameCell, NONE } from '../cells.js';

type ReadonlyIngress = DeepReadonly<Ingress>;

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const SHOWN_HOSTS = 3;

function hostsCell({ spec }: ReadonlyIngress): string {
  const hosts = list(spec?.rules).flatMap(rule => (rule.host ? [rule.host] : []));
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, SHOWN_HOSTS).join(',');
  return hosts.length > SHOWN_HOSTS ? `${shown} + ${hosts.length - SHOWN_HOSTS} more...` : shown;
}

const validate = (ingress: ReadonlyIngress, creating: boolean): FieldError[] => {
  const out = errorList();
  checkIngress(out, ingress, creating);
  return out;
};

export const ingressStrategy: Strategy<Ingress> = {
  prepareForCreate(_ctx, ingress) {
    ingress.status = { loadBalancer: {} };
  },
  validate: (_ctx, ingress) => validate(ingress, true),
  validateUpdate: (_ctx, ingress) => validate(ingress, false),
  warnings(_ctx, { metadata, spec }, old) {
    const isAnnotated = metadata.annotations?.[CLASS_ANNOTATION] !== undefined;
    return old === undefined && isAnnotated && spec?.ingressClassName === undefined
      ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [];
  },
  cells(ingress, nowMs) {
    const { spec, status } = ingress;
    const addresses = list(status?.loadBalancer?.ingress).map(point => point.ip || point.hostname || '');
    return {
      cells: [
        nameCell(ingress),
        spec?.ingressClassName ?? NONE,
        hostsCell(ingress),
        addresses.filter(address => address !== '').join(','),
        list(spec?.tls).length > 0 ? '80, 443' : '80',
        ageCell(ingress, nowMs),
      ],
    };
  },
  subresources: {
    status: {
      kind: 'part',
      validateUpdate(_ctx, object) {
        const out = errorList();
        checkIngressStatus(out, object);
        return out;
      },
      warnings: ({ status }: DeepReadonly<Ingress>) => ingressWarnings(status?.loadBalancer?.ingress),
    },
  },
};

const validateClass = (ingressClass: DeepReadonly<IngressClass>): FieldError[] => {
  const out = errorList();
  checkIngressClass(out, ingressClass);
  return out;
};

export const ingressClassStrategy: Strategy<IngressClass> = {
  default(ingressClass) {
    const parameters = ingressClass.spec?.parameters;
    if (parameters !== undefined) parameters.scope ??= 'Cluster';
  },
  validate: (_ctx, ingressClass) => validateClass(ingressClass),
  validateUpdate(_ctx, ingressClass, old) {
    const out = errorList();
    const { spec } = ingressClass;
    checkImmutable(out, path('spec', 'controller'), spec?.controller ?? '', old.spec?.controller ?? '');
    return [...out, ...validateClass(ingressClass)];
  },
  cells(ingressClass, nowMs) {
    const { controller = '', parameters } = ingressClass.spec ?? {};
    const group = parameters?.apiGroup ? `.${parameters.apiGroup}` : '';
    const shown = parameters === undefined ? NONE : `${parameters.kind}${group}/${parameters.name}`;
    return { cells: [nameCell(ingressClass), controller, shown, ageCell(ingressClass, nowMs)] };
  },
};
