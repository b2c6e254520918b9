import { path, type FieldError } from '../../machinery/field-error.js';
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
import type { ResourceInfo } from '../../resources/resource-info.js';
import type { RequestContext } from '../../resources/strategy.js';
import type { Scope } from './scope.js';

const NAME_CHECKS: Readonly<Record<ResourceInfo['nameFormat'], NameCheck>> = {
  subdomain: nameIsDnsSubdomain,
  label: nameIsDnsLabel,
  label1035: nameIsDns1035Label,
  path: nameIsPathSegment,
  none: nameIsPathSegment,
};

const METADATA = path('metadata');

/** @throws StatusError 422 */
export function validateNew(scope: Scope, ctx: RequestContext, object: DeepReadonly<KubeObject>): void {
  const { info, strategy } = scope;
  const { create } = info.metadataRules;
  const own = strategy.validate?.(ctx, object) ?? [];
  if (create === 'none') {
    throwIf(scope, object, own);
    throwIf(scope, object, validateObjectMeta(object.metadata, anyKind(info), METADATA));
    return;
  }
  const rules = { namespaced: info.namespaced, name: NAME_CHECKS[info.nameFormat], builtIn: create === 'core' };
  throwIf(scope, object, [...validateObjectMeta(object.metadata, rules, METADATA), ...own]);
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
export function validateChanged(
  scope: Scope,
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject>,
  own: readonly FieldError[],
): void {
  const { metadata } = object;
  const generic = validateObjectMetaUpdate(metadata, old.metadata, METADATA, { builtIn: false });
  // What is valid so far was valid before, but for these two: the other checks would find nothing.
  const isClean =
    generic.length === 0 && metadata.finalizers === undefined && metadata.generateName === old.metadata.generateName;
  if (isClean) return throwIf(scope, object, own);
  const asNew = validateObjectMeta(metadata, anyKind(scope.info), METADATA);
  const { update } = scope.info.metadataRules;
  const repeated =
    update === 'none' ? [] : validateObjectMetaUpdate(metadata, old.metadata, METADATA, { builtIn: update === 'core' });
  throwIf(scope, object, [...asNew, ...generic, ...repeated, ...own]);
}

const invalidObject = (scope: Scope, object: DeepReadonly<KubeObject>, errors: readonly FieldError[]): StatusError =>
  // Upstream names the internal kind, which has the group of the first version (core for both kinds of Event).
  invalidError({ group: scope.info.storage.group, kind: scope.info.kind }, object.metadata.name ?? '', errors);

function throwIf(scope: Scope, object: DeepReadonly<KubeObject>, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(scope, object, errors);
}
