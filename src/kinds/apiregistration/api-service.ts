import type * as k8s from '@kubernetes/client-node';
import { formatTime } from '../../machinery/clock.js';
import { errorList, invalid, notSupported, path, required, type FieldError } from '../../machinery/field-error.js';
import { quote } from '../../machinery/go-text.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import { isDns1035Label, isPortNumber, nameIsPathSegment, type NameCheck } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkDnsSubdomain, list } from '../validation/formats.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell } from '../cells.js';

interface ApiService extends KubeObject {
  spec?: Wire<k8s.V1APIServiceSpec>;
  status?: Wire<k8s.V1APIServiceStatus>;
}
type ReadonlyService = DeepReadonly<ApiService>;
type Spec = NonNullable<ReadonlyService['spec']>;

const SPEC = path('spec');
const STATUSES = ['True', 'False', 'Unknown'];
const EMPTY: Spec = { groupPriorityMinimum: 0, versionPriority: 0 };

const requiredName = ({ version = '', group = '' }: Spec): string => `${version}.${group}`;

const nameCheckOf =
  (spec: Spec): NameCheck =>
  (name, prefix) => {
    const problems = nameIsPathSegment(name, prefix);
    if (problems.length > 0 || name === requiredName(spec)) return problems;
    return [`must be \`spec.version+"."+spec.group\`: ${quote(requiredName(spec))}`];
  };

function checkLocal(out: FieldError[], { caBundle, insecureSkipTLSVerify }: Spec): void {
  if (caBundle) {
    const size = `${Buffer.from(caBundle, 'base64').length} bytes`;
    out.push(invalid(SPEC.child('caBundle'), size, 'local APIServices may not have a caBundle'));
  }
  if (insecureSkipTLSVerify === true) {
    const text = 'local APIServices may not have insecureSkipTLSVerify';
    out.push(invalid(SPEC.child('insecureSkipTLSVerify'), true, text));
  }
}

function checkRemote(out: FieldError[], spec: Spec, service: NonNullable<Spec['service']>): void {
  const at = SPEC.child('service');
  if (!service.namespace) out.push(required(at.child('namespace')));
  if (!service.name) out.push(required(at.child('name')));
  const port = service.port ?? 0;
  const problems = isPortNumber(port);
  if (problems.length > 0) out.push(invalid(at.child('port'), port, `port is not valid: ${problems.join(', ')}`));
  if (spec.insecureSkipTLSVerify === true && spec.caBundle)
    out.push(invalid(SPEC.child('insecureSkipTLSVerify'), true, 'may not be true if caBundle is present'));
}

function checkService({ spec = EMPTY }: ReadonlyService): FieldError[] {
  const out = errorList();
  const { group = '', version = '', groupPriorityMinimum, versionPriority } = spec;
  if (group === '' && version !== 'v1')
    out.push(required(SPEC.child('group'), 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') checkDnsSubdomain(out, SPEC.child('group'), group);
  for (const text of isDns1035Label(version)) out.push(invalid(SPEC.child('version'), version, text));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    const text = 'must be positive and less than 20000';
    out.push(invalid(SPEC.child('groupPriorityMinimum'), groupPriorityMinimum, text));
  }
  if (versionPriority <= 0 || versionPriority > 1000)
    out.push(invalid(SPEC.child('versionPriority'), versionPriority, 'must be positive and less than 1000'));
  if (spec.service === undefined) checkLocal(out, spec);
  else checkRemote(out, spec, spec.service);
  return out;
}

function availableCell({ status }: ReadonlyService): string {
  const available = list(status?.conditions).find(({ type }) => type === 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' || !available.reason
    ? available.status
    : `${available.status} (${available.reason})`;
}

export const apiServiceStrategy: Strategy<ApiService> = {
  default({ spec }) {
    if (spec?.service !== undefined) spec.service.port ??= 443;
  },
  prepareForCreate(ctx, service) {
    const local = {
      type: 'Available',
      status: 'True',
      lastTransitionTime: formatTime(ctx.clock.now()),
      reason: 'Local',
      message: 'Local APIServices are always available',
    };
    service.status = service.spec?.service === undefined ? { conditions: [local] } : {};
  },
  validate(_ctx, service) {
    const { name = '' } = service.metadata;
    const problems = nameCheckOf(service.spec ?? EMPTY)(name, false);
    return [...problems.map(text => invalid(path('metadata', 'name'), name, text)), ...checkService(service)];
  },
  validateUpdate(_ctx, service) {
    const out = errorList();
    checkMetadataAgain(out, service, { namespaced: false, name: nameCheckOf(service.spec ?? EMPTY), builtIn: false });
    return [...out, ...checkService(service)];
  },
  cells: (service, nowMs) => ({
    cells: [
      nameCell(service),
      service.spec?.service === undefined
        ? 'Local'
        : `${service.spec.service.namespace ?? ''}/${service.spec.service.name ?? ''}`,
      availableCell(service),
      ageCell(service, nowMs),
    ],
  }),
  subresources: {
    status: {
      kind: 'part',
      validateUpdate(_ctx, object) {
        const conditions = list((object as ReadonlyService).status?.conditions);
        return conditions.flatMap(({ status }, i) =>
          STATUSES.includes(status)
            ? []
            : [notSupported(path('status', 'conditions').index(i).child('status'), status, STATUSES)],
        );
      },
    },
  },
};
