import { errorList, invalid, path, required, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { list, sortedEntries } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { FIELD_IMMUTABLE } from '../../machinery/validation/object-meta.js';
import { compareQuantities } from '../validation/quantities.js';
import {
  checkQuotaResourceName,
  checkResourceQuantity,
  isStandardQuota,
  type ResourceList,
} from './pod/validation/resources.js';
import { ageCell, nameCell } from '../cells.js';

interface Requirement {
  scopeName: string;
  operator: string;
  values?: string[];
}
interface Spec {
  hard?: ResourceList;
  scopes?: string[];
  scopeSelector?: { matchExpressions?: Requirement[] };
}
interface ResourceQuota extends KubeObject {
  spec?: Spec;
  status?: { hard?: ResourceList; used?: ResourceList };
}

const SPEC = path('spec');
const STATUS = path('status');

const POD_SCOPED = ['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
/** What quotas of a scope may count. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  Terminating: POD_SCOPED,
  NotTerminating: POD_SCOPED,
  BestEffort: ['pods'],
  NotBestEffort: POD_SCOPED,
  PriorityClass: POD_SCOPED,
  CrossNamespacePodAffinity: POD_SCOPED,
  VolumeAttributesClass: ['persistentvolumeclaims', 'requests.storage'],
};
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
];
/** Scopes that a Pod is in or not, with no values to choose from. */
const VALUELESS = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);

function checkAmounts(out: FieldError[], at: FieldPath, amounts: ResourceList | undefined): void {
  for (const [name, amount] of sortedEntries(amounts)) {
    checkQuotaResourceName(out, at.key(name), name);
    checkResourceQuantity(out, at.key(name), name, amount);
  }
}

/** How many of the counted resources a scope says nothing about; each scope is looked at once. */
function createMisfits(hard: ResourceList | undefined): (scope: string) => number {
  const names = Object.keys(hard ?? {}).filter(isStandardQuota);
  const known = new Map<string, number>();
  return scope => {
    const fitting = SCOPES[scope];
    if (fitting === undefined) return 0;
    const count = known.get(scope) ?? names.filter(name => !fitting.includes(name)).length;
    known.set(scope, count);
    return count;
  };
}

function checkOpposites(out: FieldError[], at: FieldPath, named: readonly string[], shown: unknown): void {
  for (const pair of OPPOSITES)
    if (pair.every(scope => named.includes(scope))) out.push(invalid(at, shown, 'conflicting scopes'));
}

function checkScopes(out: FieldError[], { scopes, hard }: DeepReadonly<Spec>): void {
  const at = SPEC.child('scopes');
  const misfits = createMisfits(hard);
  for (const scope of list(scopes)) {
    if (SCOPES[scope] === undefined) out.push(invalid(at, scopes, 'unsupported scope'));
    for (let i = misfits(scope); i > 0; i--) out.push(invalid(at, scopes, 'unsupported scope applied to resource'));
  }
  checkOpposites(out, at, list(scopes), scopes);
}

function checkRequirement(
  out: FieldError[],
  at: FieldPath,
  { scopeName, operator, values }: DeepReadonly<Requirement>,
) {
  if (VALUELESS.has(scopeName) && operator !== 'Exists') {
    const text =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    out.push(invalid(at.child('operator'), operator, text));
  }
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (list(values).length === 0) {
        const text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        out.push(required(at.child('values'), text));
      }
      return;
    case 'Exists':
    case 'DoesNotExist':
      if (list(values).length > 0) {
        const text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        out.push(invalid(at.child('values'), values, text));
      }
      return;
    default:
      out.push(invalid(at.child('operator'), operator, 'not a valid selector operator'));
  }
}

function checkScopeSelector(out: FieldError[], { scopeSelector, scopes, hard }: DeepReadonly<Spec>): void {
  if (scopeSelector === undefined) return;
  const at = SPEC.child('scopeSelector', 'matchExpressions');
  const requirements = list(scopeSelector.matchExpressions);
  const misfits = createMisfits(hard);
  const shown = goForm('ScopeSelector', scopeSelector);
  for (const requirement of requirements) {
    const { scopeName } = requirement;
    if (SCOPES[scopeName] === undefined) out.push(invalid(at.child('scopeName'), scopeName, 'unsupported scope'));
    for (let i = misfits(scopeName); i > 0; i--) out.push(invalid(at, shown, 'unsupported scope applied to resource'));
    checkRequirement(out, at, requirement);
  }
  // Upstream shows the plain scopes here.
  const named = requirements.map(({ scopeName }) => scopeName);
  checkOpposites(out, at, named, scopes ?? null);
}

function checkSpec(spec: DeepReadonly<Spec> = {}): FieldError[] {
  const out = errorList();
  checkAmounts(out, SPEC.child('hard'), spec.hard);
  if (list(spec.scopes).length > 0) checkScopes(out, spec);
  checkScopeSelector(out, spec);
  return out;
}

const REQUEST_AND_LIMIT = ['cpu', 'memory', 'storage', 'ephemeral-storage'];

/** A quota whose requests may come to more than its limits is a slip. */
function inverted(hard: ResourceList = {}): string[] {
  return REQUEST_AND_LIMIT.flatMap(name => {
    const plain = name === 'cpu' || name === 'memory' ? [name] : [];
    const request = [`requests.${name}`, ...plain].find(key => hard[key] !== undefined);
    const asked = request === undefined ? undefined : hard[request];
    const limit = hard[`limits.${name}`];
    if (asked === undefined || limit === undefined || compareQuantities(asked, limit) <= 0) return [];
    return [`ResourceQuota ${request ?? ''} (${asked}) should be less than limits.${name} (${limit})`];
  });
}

const sameScopes = (a: readonly string[], b: readonly string[]): boolean =>
  new Set([...a, ...b]).size === new Set(a).size && new Set(a).size === new Set(b).size;

/** "pods: 1/10, requests.cpu: 500m/1" of the names that `select` takes. */
function usageCell({ status }: DeepReadonly<ResourceQuota>, select: (name: string) => boolean): string {
  return sortedEntries(status?.hard)
    .filter(([name]) => select(name))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ');
}

const isLimit = (name: string): boolean => name.startsWith('limits.');

export const resourceQuotaStrategy: Strategy<ResourceQuota> = {
  validate: (_ctx, quota) => checkSpec(quota.spec),
  validateUpdate(_ctx, quota, old) {
    const out = checkSpec(quota.spec);
    if (!sameScopes(list(quota.spec?.scopes), list(old.spec?.scopes)))
      out.push(invalid(SPEC.child('scopes'), quota.spec?.scopes ?? null, FIELD_IMMUTABLE));
    return out;
  },
  warnings: (_ctx, quota, old) => (old === undefined ? inverted(quota.spec?.hard) : []),
  cells: (quota, nowMs) => ({
    cells: [
      nameCell(quota),
      usageCell(quota, name => !isLimit(name)),
      usageCell(quota, isLimit),
      ageCell(quota, nowMs),
    ],
  }),
  subresources: {
    status: {
      kind: 'part',
      validateUpdate(_ctx, object) {
        const { status } = object as DeepReadonly<ResourceQuota>;
        const out = errorList();
        checkAmounts(out, STATUS.child('hard'), status?.hard);
        checkAmounts(out, STATUS.child('used'), status?.used);
        return out;
      },
    },
  },
};
