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
import { validateObjectMeta, validateObjectMetaUpdate } from '../../machinery/validation/object-meta.js';
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
  const rules = { namespaced: info.namespaced, name: NAME_CHECKS[info.nameFormat], builtIn: info.custom !== true };
  const errors = validateObjectMeta(object.metadata, rules, METADATA);
  const own = strategy.validate?.(ctx, object) ?? [];
  throwIf(scope, object, [...errors, ...own]);
}

/**
 * `own` are the errors of the endpoint's strategy. Metadata is checked twice, once by generic code and once by the
 * kind's own validation, as upstream: its problems are listed twice among the causes. @throws StatusError 422
 */
export function validateChanged(
  scope: Scope,
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject>,
  own: readonly FieldError[],
): void {
  const builtIn = scope.info.custom !== true;
  const generic = validateObjectMetaUpdate(object.metadata, old.metadata, METADATA, { builtIn: false });
  // Without a finalizer the stricter rule of built-in kinds finds nothing more.
  const repeated =
    generic.length === 0 && (object.metadata.finalizers === undefined || !builtIn)
      ? []
      : validateObjectMetaUpdate(object.metadata, old.metadata, METADATA, { builtIn });
  throwIf(scope, object, [...generic, ...repeated, ...own]);
}

const invalidObject = (scope: Scope, object: DeepReadonly<KubeObject>, errors: readonly FieldError[]): StatusError =>
  // Upstream names the internal kind, which has the group of the first version (core for both kinds of Event).
  invalidError({ group: scope.info.storage.group, kind: scope.info.kind }, object.metadata.name ?? '', errors);

function throwIf(scope: Scope, object: DeepReadonly<KubeObject>, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(scope, object, errors);
}
