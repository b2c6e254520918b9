import { forbidden, path, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject, ObjectMeta } from '../../machinery/types.js';
import type { NameCheck } from '../../machinery/validation/names.js';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../machinery/validation/object-meta.js';
import { checkAnnotations, checkLabels } from './formats.js';

const METADATA = path('metadata');

/**
 * The rules of creation for metadata, for kinds whose update is checked by the validation of creation too: upstream
 * lists their problems once more among the causes.
 */
export function checkMetadataAgain(
  out: FieldError[],
  object: DeepReadonly<KubeObject>,
  rules: { readonly namespaced: boolean; readonly name: NameCheck; readonly builtIn?: boolean },
): void {
  for (const one of validateObjectMeta(object.metadata, { builtIn: true, ...rules }, METADATA)) out.push(one);
}

/** The same for the rules of a change, where an endpoint has them and the others of its kind do not. */
export function checkMetadataUpdateAgain(
  out: FieldError[],
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject>,
): void {
  for (const one of validateObjectMetaUpdate(object.metadata, old.metadata, METADATA, { builtIn: true })) out.push(one);
}

/** What a template's metadata may not have, in Go's order and as upstream spells it. */
const NOT_IN_TEMPLATES: readonly (readonly [keyof ObjectMeta, string])[] = [
  ['name', 'name'],
  ['generateName', 'generateName'],
  ['namespace', 'namespace'],
  ['selfLink', 'selfLink'],
  ['uid', 'uID'],
  ['resourceVersion', 'resourceVersion'],
  ['generation', 'generation'],
  ['creationTimestamp', 'creationTimestamp'],
  ['deletionTimestamp', 'deletionTimestamp'],
  ['deletionGracePeriodSeconds', 'deletionGracePeriodSeconds'],
  ['ownerReferences', 'ownerReferences'],
  ['finalizers', 'finalizers'],
  ['managedFields', 'managedFields'],
];

type StringMap = Readonly<Record<string, string>>;
type TemplateMeta = Readonly<Partial<Record<keyof ObjectMeta, unknown>>> & {
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
};

/** The metadata of objects that others will be made of: labels and annotations, nothing else. */
export function checkTemplateMetadata(out: FieldError[], at: FieldPath, metadata: TemplateMeta | undefined): void {
  if (metadata === undefined) return;
  checkAnnotations(out, at.child('annotations'), metadata.annotations);
  checkLabels(out, at.child('labels'), metadata.labels);
  for (const [field, shown] of NOT_IN_TEMPLATES)
    if (metadata[field] !== undefined && metadata[field] !== null)
      out.push(forbidden(at.child(shown), 'cannot be set'));
}
