import { errorList, invalid, notSupported, path, required, type FieldError } from '../../../machinery/field-error.js';
import type { StructType } from '../../../machinery/schema.js';
import { isDns1123Subdomain, nameIsDnsSubdomain, type NameCheck } from '../../../machinery/validation/names.js';
import { validateImmutableField } from '../../../machinery/validation/object-meta.js';
import { checkMetadataAgain } from '../../validation/metadata.js';
import { jsonString } from '../internal-json.js';
import { internalSpec, type InternalSpec } from '../internal-spec.js';
import type { ReadonlyDefinition, Schema, VersionDetails } from '../types.js';
import { anySchema } from '../walk-schema.js';
import { checkApproval } from './approval.js';
import { checkColumn } from './columns.js';
import { checkConversion } from './conversion.js';
import { leniencyFor } from './leniency.js';
import { STRICT, type Leniency } from './lenient.js';
import { checkNames, checkNamesGiven } from './names.js';
import { checkSchema } from './schema.js';
import { checkSelectableFields } from './selectable-fields.js';
import { checkSubresources } from './subresources.js';
import { checkDeprecation, checkStoredVersions, checkVersionName, checkVersions } from './versions.js';

/** What the checks of a definition need of others. */
export interface DefinitionDeps {
  /** Go's ObjectMeta, which the metadata of custom resources is read into. */
  readonly objectMeta: StructType;
}

const SPEC = path('spec');
const STATUS = path('status');
const SCOPES = ['Cluster', 'Namespaced'];

/** Source: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go, in its order. */
export function checkNew(definition: ReadonlyDefinition, deps: DefinitionDeps): FieldError[] {
  const out = errorList();
  checkMetadataAgain(out, definition, { namespaced: false, name: nameCheckOf(definition), builtIn: false });
  checkSpec(out, internalSpec(definition), STRICT, deps);
  checkRest(out, definition, undefined);
  return out;
}

export function checkChanged(now: ReadonlyDefinition, old: ReadonlyDefinition, deps: DefinitionDeps): FieldError[] {
  const out = errorList();
  const lenient = leniencyFor(now, old);
  const spec = internalSpec(now);
  const before = internalSpec(old);
  checkSpec(out, spec, lenient, deps);
  const keep = (value: string, was: string, at: string, shown: unknown = value): void => {
    if (validateImmutableField(value, was, at).length > 0) out.push(invalid(at, shown, 'field is immutable'));
  };
  if (lenient.established) {
    keep(spec.scope, before.scope, 'spec.scope', jsonString(spec.scope));
    keep(spec.names.kind ?? '', before.names.kind ?? '', 'spec.names.kind');
  }
  keep(spec.group, before.group, 'spec.group');
  keep(spec.names.plural ?? '', before.names.plural ?? '', 'spec.names.plural');
  checkRest(out, now, old);
  return out;
}

export function checkStatus({ status }: ReadonlyDefinition): FieldError[] {
  const out = errorList();
  checkNames(out, STATUS.child('acceptedNames'), status?.acceptedNames ?? {});
  return out;
}

function checkRest(out: FieldError[], now: ReadonlyDefinition, old: ReadonlyDefinition | undefined): void {
  for (const one of checkStatus(now)) out.push(one);
  checkStoredVersions(out, STATUS.child('storedVersions'), now.status?.storedVersions, now.spec?.versions ?? []);
  checkApproval(out, now, old);
  if (now.spec?.preserveUnknownFields === true && old?.spec?.preserveUnknownFields !== true) {
    const why =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    out.push(invalid(SPEC.child('preserveUnknownFields'), true, why));
  }
}

const nameCheckOf =
  ({ spec }: ReadonlyDefinition): NameCheck =>
  (name, prefix) => {
    const problems = nameIsDnsSubdomain(name, prefix);
    const isRight = name === `${spec?.names?.plural ?? ''}.${spec?.group ?? ''}`;
    return isRight ? problems : [...problems, 'must be spec.names.plural+"."+spec.group'];
  };

function checkSpec(out: FieldError[], spec: InternalSpec, lenient: Leniency, deps: DefinitionDeps): void {
  const { shared, versions = [] } = spec;
  checkGroup(out, spec.group);
  if (spec.scope === '') out.push(required(SPEC.child('scope')));
  else if (!SCOPES.includes(spec.scope)) out.push(notSupported(SPEC.child('scope'), spec.scope, SCOPES));
  const schemas = schemasOf(spec);
  const hasDefaults = schemas.some(schema => anySchema(schema, one => one.default !== undefined));
  checkSchemaGiven(out, spec, lenient);
  if (hasDefaults && spec.preserveUnknownFields)
    out.push(
      invalid(SPEC.child('preserveUnknownFields'), true, 'must be false in order to use defaults in the schema'),
    );
  const options = {
    ...deps,
    lenient,
    mustBeStructural: !lenient.notStructural || !spec.preserveUnknownFields || hasDefaults || hasExtensions(schemas),
  };
  const statusOf = ({ subresources }: VersionDetails): boolean => subresources?.status !== undefined;
  versions.forEach((version, i) => {
    const at = SPEC.child('versions').index(i);
    const name = version.name ?? '';
    checkVersionName(out, at.child('name'), name);
    checkDeprecation(out, at, version);
    // Of two versions of one name, upstream asks the first one.
    const subresources = versions.some(one => one.subresources !== undefined)
      ? versions.find(one => one.name === version.name)?.subresources
      : shared.subresources;
    const hasStatus = subresources?.status !== undefined;
    checkSchema(out, at.child('schema'), version.schema, {
      ...options,
      hasStatus,
      anyRuleCost: lenient.sameSchema.has(name),
    });
    checkSubresources(out, at.child('subresources'), version.subresources);
    (version.additionalPrinterColumns ?? []).forEach((column, j) =>
      checkColumn(out, at.child('additionalPrinterColumns').index(j), column),
    );
    checkSelectableFields(out, at, version.selectableFields ?? [], {
      holder: version.schema?.openAPIV3Schema === undefined ? undefined : version.schema,
      noSchema: 'may only be set when `version.schema.openAPIV3Schema` is not included',
      anyNumber: lenient.manySelectable.has(name),
    });
  });
  checkVersions(out, SPEC, spec);
  checkNamesGiven(out, SPEC.child('names'), spec.names);
  checkNames(out, SPEC.child('names'), spec.names);
  checkSchema(out, SPEC.child('validation'), shared.schema, {
    ...options,
    hasStatus: statusOf(shared) || versions.some(statusOf),
    anyRuleCost: lenient.sameSchema.has(spec.version),
  });
  checkSubresources(out, SPEC.child('subresources'), shared.subresources);
  (shared.additionalPrinterColumns ?? []).forEach((column, i) =>
    checkColumn(out, SPEC.child('additionalPrinterColumns').index(i), column),
  );
  checkSelectableFields(out, SPEC, shared.selectableFields ?? [], {
    holder: shared.schema,
    noSchema: 'may only be set when validations.schema is included',
    anyNumber: lenient.manySelectable.has(''),
  });
  const { preserveUnknownFields } = spec;
  checkConversion(out, SPEC.child('conversion'), spec.conversion, { lenient, preserveUnknownFields });
}

function checkGroup(out: FieldError[], group: string): void {
  const at = SPEC.child('group');
  const problems = isDns1123Subdomain(group);
  if (group === '') out.push(required(at));
  else if (problems.length > 0) out.push(invalid(at, group, problems.join(',')));
  else if (!group.includes('.')) out.push(invalid(at, group, 'should be a domain with at least one dot'));
}

function checkSchemaGiven(
  out: FieldError[],
  { shared, versions = [], ...spec }: InternalSpec,
  lenient: Leniency,
): void {
  if (shared.schema?.openAPIV3Schema !== undefined) return;
  versions.forEach(({ schema, served }, i) => {
    if (schema?.openAPIV3Schema !== undefined) return;
    const at = SPEC.child('versions').index(i).child('schema', 'openAPIV3Schema');
    if (!lenient.withoutSchema) out.push(required(at));
    else if (!spec.preserveUnknownFields && served === true)
      out.push(required(at, 'because otherwise all fields are pruned'));
  });
}

const schemasOf = ({ shared, versions = [] }: InternalSpec): Schema[] =>
  [shared, ...versions].flatMap(({ schema }) => schema?.openAPIV3Schema ?? []);

const EXTENSIONS = [
  'x-kubernetes-embedded-resource',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-validations',
] as const;

const hasExtensions = (schemas: readonly Schema[]): boolean =>
  schemas.some(schema => anySchema(schema, one => EXTENSIONS.some(extension => one[extension] !== undefined)));
