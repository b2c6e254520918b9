import { jsonEqual } from '../../../machinery/json-equal.js';
import type { DeepReadonly } from '../../../machinery/types.js';
import { internalSpec, schemaOf } from '../internal-spec.js';
import { hasCondition, type ReadonlyDefinition, type Schema, type VersionDetails } from '../types.js';
import { anySchema, itemsOf } from '../walk-schema.js';
import { caBundleProblem } from '../../../machinery/x509/ca-bundle.js';
import { REVIEW_VERSIONS } from './conversion.js';
import type { Leniency } from './lenient.js';
import { mapKeyErrors } from './list-keywords.js';
import { MAX_SELECTABLE_FIELDS } from './selectable-fields.js';
import { isStructural } from './structural.js';
import { hasUnprunedDefaults } from '../../../api/structural/check-defaults.js';
import type { JsonSchemaProps } from '../../../api/structural/json-schema-props.js';
import { isUnknownType } from './schema-keywords.js';

export function leniencyFor(now: ReadonlyDefinition, old: ReadonlyDefinition): Leniency {
  const spec = internalSpec(old);
  const schemas = [spec.shared, ...(spec.versions ?? [])].flatMap(({ schema }) => schema?.openAPIV3Schema ?? []);
  const some = (test: (schema: Schema) => boolean): boolean => schemas.some(schema => anySchema(schema, test));
  const established = hasCondition(old, 'Established');
  const reviewVersions = spec.conversion?.webhook?.conversionReviewVersions ?? [];
  const caBundle = spec.conversion?.webhook?.clientConfig?.caBundle ?? '';
  const everyone = (details: DeepReadonly<VersionDetails>): boolean => details.schema?.openAPIV3Schema !== undefined;
  return {
    established,
    withoutSchema: !everyone(spec.shared) && !(spec.versions ?? []).every(everyone),
    unknownTypes: some(isUnknownType),
    notStructural: schemas.some(schema => !isStructural(schema)),
    unprunedDefaults: schemas.some(schema => isStructural(schema) && hasUnprunedDefaults(schema as JsonSchemaProps)),
    setsOfMaps: some(isLooseSet),
    looseMapKeys: some(schema => mapKeyErrors(schema).length > 0),
    unknownReviewVersions:
      reviewVersions.length > 0 && !reviewVersions.some(version => REVIEW_VERSIONS.includes(version)),
    badCaBundle: !established || (caBundle !== '' && caBundleProblem(caBundle) !== undefined),
    manySelectable: manySelectable(now, old),
    sameSchema: new Set(
      (now.spec?.versions ?? []).flatMap(({ name = '' }) =>
        isKept(old, name) && jsonEqual(schemaOf(now.spec ?? {}, name), schemaOf(old.spec ?? {}, name)) ? [name] : [],
      ),
    ),
  };
}

const isKept = ({ spec }: ReadonlyDefinition, name: string): boolean =>
  (spec?.versions ?? []).some(version => version.name === name);

/** A set of what may change within. */
export function isLooseSet(schema: Schema): boolean {
  const items = itemsOf(schema);
  if (schema['x-kubernetes-list-type'] !== 'set' || items === undefined) return false;
  if (items.type === 'array') return (items['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic';
  return items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic';
}

function manySelectable(now: ReadonlyDefinition, old: ReadonlyDefinition): ReadonlySet<string> {
  const before = internalSpec(old);
  const after = internalSpec(now);
  const keeps = (a: DeepReadonly<VersionDetails> | undefined, b: DeepReadonly<VersionDetails>): boolean =>
    (a?.selectableFields ?? []).length > MAX_SELECTABLE_FIELDS && jsonEqual(a?.selectableFields, b.selectableFields);
  const versions = new Map((before.versions ?? []).map(version => [version.name, version]));
  return new Set([
    ...(keeps(before.shared, after.shared) ? [''] : []),
    ...(after.versions ?? []).flatMap(version =>
      keeps(versions.get(version.name), version) ? [version.name ?? ''] : [],
    ),
  ]);
}
