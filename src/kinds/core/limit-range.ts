import { duplicate, errorList, forbidden, invalid, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { setMember } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { isQualifiedName, nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { list, sortedEntries } from '../validation/formats.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { compareQuantities, milliValue } from '../validation/quantities.js';
import {
  checkContainerResourceName,
  checkResourceName,
  isOvercommitAllowed,
  type ResourceList,
} from './pod/validation/resources.js';
import type { KindDeps } from '../deps.js';

interface Limit {
  type: string;
  max?: ResourceList;
  min?: ResourceList;
  default?: ResourceList;
  defaultRequest?: ResourceList;
  maxLimitRequestRatio?: ResourceList;
}
interface LimitRange extends KubeObject {
  spec?: { limits?: Limit[] | null };
}
type ReadonlyLimit = DeepReadonly<Limit>;

const LIMITS = path('spec', 'limits');
const TYPES = ['Container', 'PersistentVolumeClaim', 'Pod'];

function checkType(out: FieldError[], at: FieldPath, type: string): void {
  const problems = isQualifiedName(type);
  for (const text of problems) out.push(invalid(at, type, text));
  if (problems.length === 0 && !type.includes('/') && !TYPES.includes(type))
    out.push(invalid(at, type, 'must be a standard limit type or fully qualified'));
}

/** What one resource is bound to. */
interface Bounds {
  readonly min: string | undefined;
  readonly max: string | undefined;
  readonly fallback: string | undefined;
  readonly request: string | undefined;
  readonly ratio: string | undefined;
}

const exceeds = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && compareQuantities(a, b) > 0;

function checkRatio(out: FieldError[], at: FieldPath, { min, max, ratio }: Bounds): void {
  if (ratio === undefined) return;
  if (exceeds('1', ratio)) out.push(invalid(at, ratio, `ratio ${ratio} is less than 1`));
  if (min === undefined || max === undefined) return;
  const possible = Number(milliValue(max)) / Number(milliValue(min));
  // Division by zero gives +Inf or NaN, as in Go, and neither is ever exceeded.
  if (Number(milliValue(ratio)) / 1000 > possible)
    out.push(invalid(at, ratio, `ratio ${ratio} is greater than max/min = ${possible.toFixed(6)}`));
}

function checkBounds(out: FieldError[], at: FieldPath, name: string, bounds: Bounds): void {
  const { min, max, fallback, request } = bounds;
  // The texts are only made for what is wrong, where neither side is missing.
  const s = (amount: string | undefined): string => amount ?? '';
  const minAt = at.child('min').key(name);
  const requestAt = at.child('defaultRequest').key(name);
  const defaultAt = at.child('default').key(name);
  if (exceeds(min, max)) out.push(invalid(minAt, min, `min value ${s(min)} is greater than max value ${s(max)}`));
  if (exceeds(min, request))
    out.push(invalid(requestAt, request, `min value ${s(min)} is greater than default request value ${s(request)}`));
  if (exceeds(request, max))
    out.push(invalid(requestAt, request, `default request value ${s(request)} is greater than max value ${s(max)}`));
  if (exceeds(request, fallback)) {
    const text = `default request value ${s(request)} is greater than default limit value ${s(fallback)}`;
    out.push(invalid(requestAt, request, text));
  }
  // Upstream shows the bound here, not the default.
  if (exceeds(min, fallback))
    out.push(invalid(defaultAt, min, `min value ${s(min)} is greater than default value ${s(fallback)}`));
  if (exceeds(fallback, max))
    out.push(invalid(defaultAt, max, `default value ${s(fallback)} is greater than max value ${s(max)}`));
  checkRatio(out, at.child('maxLimitRequestRatio').key(name), bounds);
  const differ = fallback !== undefined && request !== undefined && compareQuantities(fallback, request) !== 0;
  if (differ && !isOvercommitAllowed(name)) {
    const text = `default value ${fallback} must equal to defaultRequest value ${request} in ${name}`;
    out.push(invalid(requestAt, request, text));
  }
}

function checkLimit(out: FieldError[], at: FieldPath, limit: ReadonlyLimit): void {
  const isPod = limit.type === 'Pod';
  const checkName = isPod || limit.type === 'Container' ? checkContainerResourceName : checkResourceName;
  const checkNames = (field: 'max' | 'min' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio'): void => {
    for (const [name] of sortedEntries(limit[field])) checkName(out, at.child(field).key(name), name);
  };
  const { max, min, maxLimitRequestRatio } = limit;
  const defaults = isPod ? undefined : limit.default;
  const requests = isPod ? undefined : limit.defaultRequest;
  checkNames('max');
  checkNames('min');
  for (const field of ['default', 'defaultRequest'] as const) {
    if (!isPod) checkNames(field);
    else if (Object.keys(limit[field] ?? {}).length > 0)
      out.push(forbidden(at.child(field), "may not be specified when `type` is 'Pod'"));
  }
  if (limit.type === 'PersistentVolumeClaim' && min?.['storage'] === undefined && max?.['storage'] === undefined) {
    const text = 'either minimum or maximum storage value is required, but neither was provided';
    out.push(required(at.child('limits'), text));
  }
  checkNames('maxLimitRequestRatio');
  const names = new Set([max, min, defaults, requests, maxLimitRequestRatio].flatMap(l => Object.keys(l ?? {})));
  for (const name of [...names].sort())
    checkBounds(out, at, name, {
      min: min?.[name],
      max: max?.[name],
      fallback: defaults?.[name],
      request: requests?.[name],
      ratio: maxLimitRequestRatio?.[name],
    });
}

function checkLimitRange(range: DeepReadonly<LimitRange>): FieldError[] {
  const out = errorList();
  const types = new Set<string>();
  list(range.spec?.limits).forEach((limit, i) => {
    const at = LIMITS.index(i);
    checkType(out, at.child('type'), limit.type);
    if (types.has(limit.type)) out.push(duplicate(at.child('type'), limit.type));
    types.add(limit.type);
    checkLimit(out, at, limit);
  });
  return out;
}

/** Limits default to the maximum, requests to the limit or else the minimum. */
function defaultLimit(limit: Limit): void {
  if (limit.type !== 'Container') return;
  const limits = merged(limit.max, limit.default);
  const requests = merged(limit.min, limits, limit.defaultRequest);
  if (limits !== undefined) limit.default = limits;
  if (requests !== undefined) limit.defaultRequest = requests;
}

/** The later lists win; undefined: nothing is in them. Of long lists a spread takes twice as long. */
function merged(...lists: (ResourceList | undefined)[]): Record<string, string> | undefined {
  let all: Record<string, string> | undefined;
  for (const resources of lists) for (const name in resources) setMember((all ??= {}), name, resources[name]);
  return all;
}

export const createLimitRangeStrategy = ({ uuid }: KindDeps): Strategy<LimitRange> => ({
  default: range => list(range.spec?.limits).forEach(defaultLimit),
  prepareForCreate(_ctx, range) {
    // The one kind that needs no name.
    range.metadata.name ||= uuid();
  },
  validate: (_ctx, range) => checkLimitRange(range),
  validateUpdate(_ctx, range) {
    const out = checkLimitRange(range);
    checkMetadataAgain(out, range, { namespaced: true, name: nameIsDnsSubdomain });
    return out;
  },
});
