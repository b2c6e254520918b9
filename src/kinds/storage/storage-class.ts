import {
  duplicate,
  errorList,
  forbidden,
  invalid,
  notSupported,
  path,
  required,
  tooLong,
} from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { goLength } from '../../machinery/go-text.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, StorageClass } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, checkLabelKey, checkQualifiedName, list } from '../validation/formats.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell } from '../cells.js';
import { DEPRECATED_NODE_LABELS } from '../node-labels.js';

type ReadonlyClass = DeepReadonly<StorageClass>;
type Term = NonNullable<ReadonlyClass['allowedTopologies']>[number];
type Parameters = Readonly<Record<string, string>> | undefined;

const MAX_PARAMETERS = 512;
const MAX_PARAMETER_BYTES = 256 * 1024;
const RECLAIM_POLICIES = ['Delete', 'Retain'];
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer'];
const IS_DEFAULT = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

const again = (out: FieldError[], object: DeepReadonly<KubeObject>): void =>
  checkMetadataAgain(out, object, { namespaced: false, name: nameIsDnsSubdomain });

function checkDriver(out: FieldError[], at: FieldPath, name: string): void {
  if (name === '') out.push(required(at));
  else checkQualifiedName(out, at, name.toLowerCase());
}

function checkParameters(out: FieldError[], parameters: Parameters, mayBeEmpty: boolean): void {
  const at = path('parameters');
  const entries = Object.entries(parameters ?? {});
  if (entries.length > MAX_PARAMETERS) return void out.push(tooLong(at, MAX_PARAMETERS));
  let size = 0;
  for (const [key, value] of entries) {
    if (key === '') out.push(invalid(at, key, 'field can not be empty.'));
    size += goLength(key) + goLength(value);
  }
  if (size > MAX_PARAMETER_BYTES) out.push(tooLong(at, MAX_PARAMETER_BYTES));
  if (!mayBeEmpty && entries.length === 0) out.push(required(at, 'must contain at least one key/value pair'));
}

/** What tells terms apart: the values allowed for each key, in one order. Of a key's lists the last one counts. */
function checkTerm(out: FieldError[], at: FieldPath, term: Term): string {
  const allowed = new Map<string, string[]>();
  list(term.matchLabelExpressions).forEach(({ key, values }, i) => {
    const here = at.index(i);
    const seen = new Set<string>();
    if (list(values).length === 0) out.push(required(here.child('values')));
    list(values).forEach((value, j) => {
      if (seen.has(value)) out.push(duplicate(here.child('values').index(j), value));
      seen.add(value);
    });
    checkLabelKey(out, here.child('key'), key);
    if (allowed.has(key)) out.push(duplicate(here.child('key'), key));
    allowed.set(key, [...seen].sort());
  });
  return JSON.stringify([...allowed].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function checkTopologies(out: FieldError[], terms: readonly Term[]): void {
  // Upstream begins with as many empty terms as there are, so that an empty one is always a duplicate.
  const known = new Map([['[]', terms.length]]);
  terms.forEach((term, i) => {
    const at = path('allowedTopologies').index(i).child('matchLabelExpressions');
    const allowed = checkTerm(out, at, term);
    const before = known.get(allowed) ?? 0;
    for (let pair = 0; pair < before; pair++) out.push(duplicate(at, ''));
    known.set(allowed, before + 1);
  });
}

function checkClass(storageClass: ReadonlyClass): FieldError[] {
  const out = errorList();
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies } = storageClass;
  checkDriver(out, path('provisioner'), provisioner);
  checkParameters(out, parameters, true);
  if (reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy))
    out.push(notSupported(path('reclaimPolicy'), reclaimPolicy, RECLAIM_POLICIES));
  if (volumeBindingMode === undefined) out.push(required(path('volumeBindingMode')));
  else if (!BINDING_MODES.includes(volumeBindingMode))
    out.push(notSupported(path('volumeBindingMode'), volumeBindingMode, BINDING_MODES));
  checkTopologies(out, list(allowedTopologies));
  return out;
}

const mayNotChange = (out: FieldError[], field: string, now: unknown, before: unknown): void => {
  if (!semanticEqual(now, before)) out.push(forbidden(path(field), `updates to ${field} are forbidden.`));
};

function warningsOf({ allowedTopologies }: ReadonlyClass): string[] {
  return list(allowedTopologies).flatMap((term, i) =>
    list(term.matchLabelExpressions).flatMap(({ key }, j) => {
      const text = DEPRECATED_NODE_LABELS[key];
      return text === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${text}`];
    }),
  );
}

const isDefault = ({ metadata }: ReadonlyClass): boolean =>
  IS_DEFAULT.some(annotation => metadata.annotations?.[annotation] === 'true');

export const storageClassStrategy: Strategy<StorageClass> = {
  default(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  validate: (_ctx, storageClass) => checkClass(storageClass),
  validateUpdate(_ctx, storageClass, old) {
    const out = errorList();
    again(out, storageClass);
    for (const one of checkClass(storageClass)) out.push(one);
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const)
      mayNotChange(out, field, storageClass[field], old[field]);
    checkImmutable(out, path('volumeBindingMode'), storageClass.volumeBindingMode, old.volumeBindingMode);
    return out;
  },
  warnings: (_ctx, storageClass) => warningsOf(storageClass),
  cells: (storageClass, nowMs) => ({
    cells: [
      isDefault(storageClass) ? `${nameCell(storageClass)} (default)` : nameCell(storageClass),
      storageClass.provisioner,
      storageClass.reclaimPolicy ?? 'Delete',
      storageClass.volumeBindingMode ?? 'Immediate',
      storageClass.allowVolumeExpansion ?? false,
      ageCell(storageClass, nowMs),
    ],
  }),
};

interface VolumeAttributesClass extends KubeObject {
  driverName: string;
  parameters?: Record<string, string>;
}

function checkAttributesClass(attributes: DeepReadonly<VolumeAttributesClass>): FieldError[] {
  const out = errorList();
  checkDriver(out, path('driverName'), attributes.driverName);
  checkParameters(out, attributes.parameters, false);
  return out;
}

export const volumeAttributesClassStrategy: Strategy<VolumeAttributesClass> = {
  validate: (_ctx, attributes) => checkAttributesClass(attributes),
  validateUpdate(_ctx, attributes, old) {
    const out = errorList();
    mayNotChange(out, 'driverName', attributes.driverName, old.driverName);
    mayNotChange(out, 'parameters', attributes.parameters, old.parameters);
    again(out, attributes);
    return [...out, ...checkAttributesClass(attributes)];
  },
};
