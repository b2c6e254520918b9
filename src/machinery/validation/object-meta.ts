import { errorList, forbidden, invalid, required, tooLong, type FieldError, type FieldPath } from '../field-error.js';
import { formatGoStrings, goLength, isPrint } from '../go-text.js';
import { semanticEqual } from '../json-equal.js';
import type { DeepReadonly, ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../types.js';
import { validateLabels } from './label-selector.js';
import { isQualifiedName, nameIsDnsLabel, type NameCheck } from './names.js';

/** Source: apimachinery pkg/api/validation/objectmeta.go and pkg/apis/meta/v1/validation. */

export const TOTAL_ANNOTATION_SIZE_LIMIT = 256 * 1024;
export const FIELD_MANAGER_MAX_LENGTH = 128;
const SUBRESOURCE_MAX_LENGTH = 256;
export const FIELD_IMMUTABLE = 'field is immutable';

type Meta = DeepReadonly<ObjectMeta>;

/** Values that differ only in nil or empty lists and maps are equal. */
export const validateImmutableField = (newValue: unknown, oldValue: unknown, at: FieldPath | string): FieldError[] =>
  semanticEqual(newValue, oldValue) ? [] : [invalid(at, newValue, FIELD_IMMUTABLE)];

export const validateNonnegative = (value: number, at: FieldPath | string): FieldError[] =>
  value < 0 ? [invalid(at, value, 'must be greater than or equal to 0')] : [];

/** Bytes of all keys and values. */
export function annotationsSize(annotations: Readonly<Record<string, string>> | undefined): number {
  let size = 0;
  for (const key in annotations) size += goLength(key) + goLength(annotations[key] ?? '');
  return size;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  at: FieldPath,
): FieldError[] {
  const errors = errorList();
  for (const key in annotations) {
    // The rule is that of label keys, but case does not matter.
    for (const text of isQualifiedName(key.toLowerCase())) errors.push(invalid(at, key, text));
  }
  if (annotationsSize(annotations) > TOTAL_ANNOTATION_SIZE_LIMIT) errors.push(tooLong(at, TOTAL_ANNOTATION_SIZE_LIMIT));
  return errors;
}

function validateOwnerReference(owner: DeepReadonly<OwnerReference>, at: FieldPath): FieldError[] {
  const errors = errorList();
  const apiVersion = owner.apiVersion ?? '';
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  if (version === '') errors.push(invalid(at.child('apiVersion'), apiVersion, 'version must not be empty'));
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!owner[field]) errors.push(invalid(at.child(field), owner[field] ?? '', 'must not be empty'));
  }
  if (apiVersion === 'v1' && owner.kind === 'Event') {
    errors.push(invalid(at, owner, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

/** Upstream gives the path of the list to every entry's errors. */
export function validateOwnerReferences(
  owners: readonly DeepReadonly<OwnerReference>[] | undefined,
  at: FieldPath,
): FieldError[] {
  const errors = errorList();
  let first = '';
  for (const owner of owners ?? []) {
    for (const one of validateOwnerReference(owner, at)) errors.push(one);
    if (owner.controller !== true) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (first === '') {
      first = name;
    } else {
      const text = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${name}`;
      errors.push(invalid(at, owners, text));
    }
  }
  return errors;
}

export const FINALIZER_ORPHAN = 'orphan';
export const FINALIZER_FOREGROUND = 'foregroundDeletion';
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', FINALIZER_ORPHAN, FINALIZER_FOREGROUND]);

export function validateFinalizers(finalizers: readonly string[] | undefined, at: FieldPath): FieldError[] {
  const errors = errorList();
  for (const finalizer of finalizers ?? []) {
    for (const text of isQualifiedName(finalizer)) errors.push(invalid(at, finalizer, text));
  }
  if (finalizers?.includes(FINALIZER_ORPHAN) === true && finalizers.includes(FINALIZER_FOREGROUND)) {
    errors.push(
      invalid(at, finalizers, `finalizer ${FINALIZER_ORPHAN} and ${FINALIZER_FOREGROUND} cannot be both set`),
    );
  }
  return errors;
}

/** The stricter rule of built-in kinds: a name without '/' must be a standard finalizer. */
export function validateBuiltInFinalizers(finalizers: readonly string[] | undefined, at: FieldPath): FieldError[] {
  const errors = errorList();
  finalizers?.forEach((finalizer, i) => {
    if (finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) return;
    const text = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(invalid(at.index(i), finalizer, text));
  });
  return errors;
}

/** Length and printable characters of a fieldManager; positions count bytes. */
export function validateFieldManager(manager: string | undefined, at: FieldPath): FieldError[] {
  const errors = errorList();
  if (manager === undefined) return errors;
  if (goLength(manager) > FIELD_MANAGER_MAX_LENGTH) errors.push(tooLong(at, FIELD_MANAGER_MAX_LENGTH));
  let position = 0;
  for (const char of manager) {
    if (!isPrint(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalid(at, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += goLength(char);
  }
  return errors;
}

export function validateManagedFields(
  entries: readonly DeepReadonly<ManagedFieldsEntry>[] | undefined,
  at: FieldPath,
): FieldError[] {
  const errors = errorList();
  entries?.forEach((entry, i) => {
    const here = at.index(i);
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      errors.push(invalid(here.child('operation'), entry.operation ?? '', 'must be `Apply` or `Update`'));
    }
    if (entry.fieldsType !== undefined && entry.fieldsType !== '' && entry.fieldsType !== 'FieldsV1') {
      errors.push(invalid(here.child('fieldsType'), entry.fieldsType, 'must be `FieldsV1`'));
    }
    for (const one of validateFieldManager(entry.manager, here.child('manager'))) errors.push(one);
    if (goLength(entry.subresource ?? '') > SUBRESOURCE_MAX_LENGTH) {
      errors.push(tooLong(here.child('subresource'), SUBRESOURCE_MAX_LENGTH));
    }
  });
  return errors;
}

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  readonly name: NameCheck;
  /** True for built-in kinds: finalizers without '/' must be standard ones. */
  readonly builtIn: boolean;
}

/** On creation, after name generation. `at` is usually path('metadata'). */
export function validateObjectMeta(meta: Meta, rules: ObjectMetaRules, at: FieldPath): FieldError[] {
  const errors = errorList();
  const { generateName = '', name = '', namespace = '' } = meta;
  if (generateName !== '') {
    for (const text of rules.name(generateName, true))
      errors.push(invalid(at.child('generateName'), generateName, text));
  }
  if (name === '') errors.push(required(at.child('name'), 'name or generateName is required'));
  else for (const text of rules.name(name, false)) errors.push(invalid(at.child('name'), name, text));
  if (!rules.namespaced) {
    if (namespace !== '') errors.push(forbidden(at.child('namespace'), 'not allowed on this type'));
  } else if (namespace === '') {
    errors.push(required(at.child('namespace')));
  } else {
    for (const text of nameIsDnsLabel(namespace, false)) errors.push(invalid(at.child('namespace'), namespace, text));
  }
  for (const list of [
    validateNonnegative(meta.generation ?? 0, at.child('generation')),
    validateLabels(meta.labels, at.child('labels')),
    validateAnnotations(meta.annotations, at.child('annotations')),
    validateOwnerReferences(meta.ownerReferences, at.child('ownerReferences')),
    validateFinalizers(meta.finalizers, at.child('finalizers')),
    validateManagedFields(meta.managedFields, at.child('managedFields')),
  ])
    for (const one of list) errors.push(one);
  if (rules.builtIn)
    for (const one of validateBuiltInFinalizers(meta.finalizers, at.child('finalizers'))) errors.push(one);
  return errors;
}

const ABSENT_IS_EMPTY: readonly ('name' | 'namespace' | 'uid')[] = ['name', 'namespace', 'uid'];
const ABSENT_IS_NULL: readonly ('creationTimestamp' | 'deletionTimestamp' | 'deletionGracePeriodSeconds')[] = [
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

export function validateObjectMetaUpdate(
  meta: Meta,
  old: Meta,
  at: FieldPath,
  rules: { readonly builtIn: boolean },
): FieldError[] {
  const errors = errorList();
  if (old.deletionTimestamp !== undefined && old.deletionTimestamp !== null) {
    const before = new Set(old.finalizers ?? []);
    const added = [...new Set(meta.finalizers ?? [])].filter(f => !before.has(f)).sort();
    if (added.length > 0) {
      const text = `no new finalizers can be added if the object is being deleted, found new finalizers ${formatGoStrings(added)}`;
      errors.push(forbidden(at.child('finalizers'), text));
    }
  }
  if (!meta.resourceVersion) {
    errors.push(invalid(at.child('resourceVersion'), meta.resourceVersion ?? '', 'must be specified for an update'));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(at.child('generation'), meta.generation ?? 0, 'must not be decremented'));
  }
  for (const field of ABSENT_IS_EMPTY) {
    for (const one of validateImmutableField(meta[field] ?? '', old[field] ?? '', at.child(field))) errors.push(one);
  }
  for (const field of ABSENT_IS_NULL) {
    for (const one of validateImmutableField(meta[field] ?? null, old[field] ?? null, at.child(field)))
      errors.push(one);
  }
  for (const list of [
    validateLabels(meta.labels, at.child('labels')),
    validateAnnotations(meta.annotations, at.child('annotations')),
    validateOwnerReferences(meta.ownerReferences, at.child('ownerReferences')),
    validateManagedFields(meta.managedFields, at.child('managedFields')),
  ])
    for (const one of list) errors.push(one);
  if (rules.builtIn)
    for (const one of validateBuiltInFinalizers(meta.finalizers, at.child('finalizers'))) errors.push(one);
  return errors;
}
