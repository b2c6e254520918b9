import {
  errorList,
  forbidden,
  invalid,
  notSupported,
  path,
  required,
  type FieldError,
} from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, PersistentVolumeClaim } from '../../machinery/types.js';
import { isQualifiedName, nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { FIELD_IMMUTABLE } from '../../machinery/validation/object-meta.js';
import { defaultClaim } from './claim-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkClaimSpec, claimSpecWarnings } from './validation/claims.js';
import { checkImmutable, list, sortedEntries } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { compareQuantities, quantityValue } from '../validation/quantities.js';
import { checkResourceQuantity, isNativeResource } from './pod/validation/resources.js';
import { jsonDiff } from '../validation/spec-diff.js';
import { ageCell, nameCell, UNSET } from '../cells.js';
import { accessModesCell, BETA_CLASS, classCell, phaseCell } from './persistent-volume.js';

type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;
type Spec = NonNullable<PersistentVolumeClaim['spec']>;
type ReadonlySpec = DeepReadonly<Spec>;

const SPEC = path('spec');
const STATUS = path('status');
const EMPTY: ReadonlySpec = {};

/** What may be a source without dataSourceRef; anything else was always dropped without a word. */
function isOldDataSource({ kind, apiGroup = '' }: NonNullable<Spec['dataSource']>): boolean {
  return (
    (kind === 'PersistentVolumeClaim' && apiGroup === '') ||
    (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io')
  );
}

/** dataSource and dataSourceRef say the same (KEP 1495). Mutates. */
function alignDataSources(spec: Spec, old: ReadonlySpec | undefined): void {
  // Sources in other namespaces need a feature that is off.
  if (spec.dataSourceRef?.namespace && old?.dataSourceRef === undefined) delete spec.dataSourceRef;
  const hadSource = old?.dataSource !== undefined || old?.dataSourceRef !== undefined;
  if (!hadSource && spec.dataSourceRef === undefined && spec.dataSource !== undefined)
    if (!isOldDataSource(spec.dataSource)) delete spec.dataSource;
  if (spec.dataSource !== undefined) spec.dataSourceRef ??= { ...spec.dataSource };
  else if (spec.dataSourceRef !== undefined && !spec.dataSourceRef.namespace) {
    const { namespace: _namespace, ...source } = spec.dataSourceRef;
    spec.dataSource = source;
  }
}

function checkClaim(claim: ReadonlyClaim, old?: ReadonlyClaim): FieldError[] {
  const out = errorList();
  const { dataSource, dataSourceRef } = old?.spec ?? EMPTY;
  const anyGroup = dataSource?.apiGroup !== undefined || dataSourceRef?.apiGroup !== undefined;
  checkClaimSpec(out, SPEC, claim.spec, { anyGroup });
  return out;
}

/** The new spec with everything that may change put back, so that whatever still differs may not. */
function withoutAllowedChanges(now: ReadonlyClaim, old: ReadonlyClaim, movesFromAnnotation: boolean): ReadonlySpec {
  const before = old.spec ?? EMPTY;
  const { storageClassName, volumeAttributesClassName, ...rest } = now.spec ?? EMPTY;
  const classes: { storageClassName?: string; volumeAttributesClassName?: string } = {};
  const annotated = old.metadata.annotations?.[BETA_CLASS];
  const isFilledIn =
    storageClassName !== undefined &&
    before.storageClassName === undefined &&
    (annotated === undefined || annotated === storageClassName);
  if (!movesFromAnnotation && !isFilledIn && storageClassName !== undefined)
    classes.storageClassName = storageClassName;
  const isBound = now.status?.phase === 'Bound';
  const attributes = isBound ? before.volumeAttributesClassName : volumeAttributesClassName;
  if (attributes !== undefined) classes.volumeAttributesClassName = attributes;
  const oldSize = before.resources?.requests?.['storage'] ?? '0';
  const { resources } = rest;
  if (!isBound || resources?.requests === undefined) return { ...rest, ...classes };
  return { ...rest, ...classes, resources: { ...resources, requests: { ...resources.requests, storage: oldSize } } };
}

function checkSpecUnchanged(out: FieldError[], claim: ReadonlyClaim, old: ReadonlyClaim): void {
  const before = old.spec ?? EMPTY;
  const annotated = old.metadata.annotations?.[BETA_CLASS];
  const annotation = claim.metadata.annotations?.[BETA_CLASS];
  const movesFromAnnotation =
    annotated !== undefined &&
    before.storageClassName === undefined &&
    claim.spec?.storageClassName === annotated &&
    (annotation === undefined || annotation === annotated);
  if (!movesFromAnnotation && (annotation ?? '') !== (annotated ?? ''))
    out.push(invalid(path('metadata', 'annotations', BETA_CLASS), annotation ?? '', FIELD_IMMUTABLE));
  const now = withoutAllowedChanges(claim, old, movesFromAnnotation);
  // A volume is chosen once.
  const volumeName = before.volumeName || now.volumeName;
  const then = volumeName === undefined ? before : { ...before, volumeName };
  if (semanticEqual(now, then)) return;
  const diff = jsonDiff(goForm('ClaimSpec', then), goForm('ClaimSpec', now));
  const text = `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${diff}`;
  out.push(forbidden(SPEC, text));
}

function checkUpdate(claim: ReadonlyClaim, old: ReadonlyClaim): FieldError[] {
  const out = errorList();
  checkMetadataAgain(out, claim, { namespaced: true, name: nameIsDnsSubdomain });
  for (const one of checkClaim(claim, old)) out.push(one);
  checkSpecUnchanged(out, claim, old);
  const size = (of: ReadonlyClaim): string => of.spec?.resources?.requests?.['storage'] ?? '0';
  // An expansion that failed may be taken back, but not below what there is.
  if (compareQuantities(size(claim), size(old)) < 0) {
    if (compareQuantities(size(claim), old.status?.capacity?.['storage'] ?? '0') <= 0)
      out.push(forbidden(SPEC.child('resources', 'requests', 'storage'), 'field can not be less than status.capacity'));
  }
  checkImmutable(out, path('volumeMode'), claim.spec?.volumeMode, old.spec?.volumeMode);
  const attributes = claim.spec?.volumeAttributesClassName;
  const isApplied = old.status?.currentVolumeAttributesClassName !== undefined;
  if (isApplied && attributes !== old.spec?.volumeAttributesClassName && !attributes) {
    const what = attributes === undefined ? 'nil' : 'empty string';
    const text = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
    out.push(forbidden(SPEC.child('volumeAttributesClassName'), text));
  }
  return out;
}

const RESIZE_STATES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort();

function checkResourceKey(out: FieldError[], at: ReturnType<typeof path>, name: string): boolean {
  const problems = isQualifiedName(name);
  for (const text of problems) out.push(invalid(at, name, text));
  if (problems.length > 0) return false;
  if (!isNativeResource(name) || name === 'storage') return true;
  out.push(notSupported(at, name, ['storage']));
  return false;
}

const isNegative = (amount: string): boolean => quantityValue(amount) < 0n;

function checkStatus(claim: ReadonlyClaim): FieldError[] {
  const out = errorList();
  if (list(claim.spec?.accessModes).length === 0) out.push(required(path('Spec', 'accessModes')));
  const negative = (at: ReturnType<typeof path>, amount: string): FieldError =>
    invalid(at, Number(quantityValue(amount)), 'must be a valid resource quantity');
  for (const [name, amount] of sortedEntries(claim.status?.capacity))
    if (isNegative(amount)) out.push(negative(STATUS.child('capacity').key(name), amount));
  const statuses = STATUS.child('allocatedResourceStatuses');
  for (const [name, state] of sortedEntries(claim.status?.allocatedResourceStatuses)) {
    checkResourceKey(out, statuses, name);
    // Upstream shows the resource, not its state.
    if (!RESIZE_STATES.includes(state)) out.push(notSupported(statuses, name, RESIZE_STATES));
  }
  const allocated = STATUS.child('allocatedResources');
  for (const [name, amount] of sortedEntries(claim.status?.allocatedResources)) {
    if (!checkResourceKey(out, allocated, name)) continue;
    if (isNegative(amount)) out.push(negative(allocated.key(name), amount));
    else checkResourceQuantity(out, allocated.key(name), 'storage', amount);
  }
  return out;
}

function warningsOf(claim: ReadonlyClaim): string[] {
  const annotated =
    claim.metadata.annotations?.[BETA_CLASS] === undefined
      ? []
      : [`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`];
  return [...annotated, ...claimSpecWarnings(claim.spec, 'spec')];
}

export const persistentVolumeClaimStrategy: Strategy<PersistentVolumeClaim> = {
  default: defaultClaim,
  prepareForCreate(_ctx, claim) {
    // Written by the defaults of the store, after which nothing else is in it.
    claim.status = { phase: 'Pending' };
    alignDataSources((claim.spec ??= {}), undefined);
  },
  prepareForUpdate(_ctx, claim, old) {
    alignDataSources((claim.spec ??= {}), old.spec ?? EMPTY);
  },
  validate: (_ctx, claim) => checkClaim(claim),
  validateUpdate: (_ctx, claim, old) => checkUpdate(claim, old),
  warnings: (_ctx, claim) => warningsOf(claim),
  cells(claim, nowMs) {
    const { spec, status } = claim;
    const volume = spec?.volumeName ?? '';
    return {
      cells: [
        nameCell(claim),
        phaseCell(claim, status?.phase),
        volume,
        volume === '' ? '' : (status?.capacity?.['storage'] ?? '0'),
        volume === '' ? '' : accessModesCell(status?.accessModes),
        classCell(claim, spec?.storageClassName),
        spec?.volumeAttributesClassName ?? UNSET,
        ageCell(claim, nowMs),
        spec?.volumeMode ?? UNSET,
      ],
    };
  },
  subresources: {
    status: { kind: 'part', validateUpdate: (_ctx, object) => checkStatus(object) },
  },
};
