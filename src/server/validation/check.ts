import { errorsOf, path, type FieldError } from '../../machinery/field-error.js';
import { invalidError, type StatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import {
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
  type NameCheck,
} from '../../machinery/validation/names.js';
import {
  validateObjectMeta,
  validateObjectMetaUpdate,
  type ObjectMetaRules,
} from '../../machinery/validation/object-meta.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { CheckedWrite } from '../../api/kind-schema.js';
import type { Strategy, ValidationContext } from '../../api/strategy.js';

const NAME_CHECKS: Readonly<Record<ResourceInfo['nameFormat'], NameCheck>> = {
  subdomain: nameIsDnsSubdomain,
  label: nameIsDnsLabel,
  label1035: nameIsDns1035Label,
  path: nameIsPathSegment,
  none: nameIsPathSegment,
};

const METADATA = path('metadata');

/** `ofSchema`: what the schema has found. @returns what to warn of. @throws StatusError 422 */
export function check(
  entry: CatalogEntry,
  ctx: ValidationContext,
  write: CheckedWrite,
  ofSchema: readonly FieldError[] = [],
): string[] {
  const { object, old } = write;
  if (old === undefined) checkNew(entry, ctx, object, ofSchema);
  else {
    const own = errorsOf(() => ownErrors(entry.strategy, ctx, write, old));
    checkChanged(entry, object, old, ofSchema.length === 0 ? own : [...ofSchema, ...own]);
  }
  return warningsOf(entry.strategy, ctx, write);
}

function warningsOf(
  strategy: Strategy,
  ctx: ValidationContext,
  { subresource, partly, object, old }: CheckedWrite,
): string[] {
  if (!partly) return strategy.warnings?.(ctx, object, old) ?? [];
  const part = strategy.subresources?.[subresource];
  return part?.kind === 'part' ? (part.warnings?.(object) ?? []) : [];
}

function ownErrors(
  strategy: Strategy,
  ctx: ValidationContext,
  { subresource, partly, object }: CheckedWrite,
  old: DeepReadonly<KubeObject>,
): readonly FieldError[] {
  if (!partly) return strategy.validateUpdate?.(ctx, object, old) ?? strategy.validate?.(ctx, object) ?? [];
  const part = strategy.subresources?.[subresource];
  return part?.kind === 'part' ? (part.validateUpdate?.(ctx, object, old) ?? []) : [];
}

function checkNew(
  entry: CatalogEntry,
  ctx: ValidationContext,
  object: DeepReadonly<KubeObject>,
  ofSchema: readonly FieldError[],
): void {
  const { info, strategy } = entry;
  const { create } = info.metadataRules;
  const found = errorsOf(() => strategy.validate?.(ctx, object) ?? []);
  const own = ofSchema.length === 0 ? found : [...ofSchema, ...found];
  if (create === 'none') {
    throwIf(info, object, own);
    const errors = errorsOf(() => validateObjectMeta(object.metadata, anyKind(info), METADATA));
    return throwIf(info, object, errors);
  }
  const rules = { namespaced: info.namespaced, name: NAME_CHECKS[info.nameFormat], builtIn: create === 'core' };
  throwIf(info, object, [...errorsOf(() => validateObjectMeta(object.metadata, rules, METADATA)), ...own]);
}

/** What is asked of the metadata of every kind. */
const anyKind = ({ namespaced }: ResourceInfo): ObjectMetaRules => ({
  namespaced,
  name: nameIsPathSegment,
  builtIn: false,
});

/**
 * `own` are the errors of the endpoint's strategy. As upstream, metadata is checked by generic code (as that of a new
 * object and as that of a changed one) and by the kind's own validation: its problems are listed several times among
 * the causes. @throws StatusError 422
 */
function checkChanged(
  { info }: CatalogEntry,
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject>,
  own: readonly FieldError[],
): void {
  const { metadata } = object;
  const ofChange = (builtIn: boolean): readonly FieldError[] =>
    errorsOf(() => validateObjectMetaUpdate(metadata, old.metadata, METADATA, { builtIn }));
  const generic = ofChange(false);
  // What is valid so far was valid before, but for these two: the other checks would find nothing.
  const isClean =
    generic.length === 0 && metadata.finalizers === undefined && metadata.generateName === old.metadata.generateName;
  if (isClean) return throwIf(info, object, own);
  const asNew = errorsOf(() => validateObjectMeta(metadata, anyKind(info), METADATA));
  const { update } = info.metadataRules;
  const repeated = update === 'none' ? [] : ofChange(update === 'core');
  throwIf(info, object, [...asNew, ...generic, ...repeated, ...own]);
}

const invalidObject = (
  info: ResourceInfo,
  object: DeepReadonly<KubeObject>,
  errors: readonly FieldError[],
): StatusError =>
  // Upstream names the internal kind, which has the group of the first version (core for both kinds of Event).
  invalidError({ group: info.storage.group, kind: info.kind }, object.metadata.name ?? '', errors);

function throwIf(info: ResourceInfo, object: DeepReadonly<KubeObject>, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(info, object, errors);
}
