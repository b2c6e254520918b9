import { labelSelectorAsSelector } from '../../../machinery/labels.js';
import { cloneJson } from '../../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import type { Catalog, CatalogEntry } from '../../../api/catalog.js';
import { resourceId } from '../../../api/resource-info.js';
import type { Objects } from '../../../api/strategy.js';
import { convertObject } from '../../registry/convert.js';
import type { ParamKind, ParamRef } from './compile.js';

/** A policy or a binding that cannot be used as it is; the failure policy says what comes of it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

type Param = DeepReadonly<KubeObject>;

/** The resource that a kind of parameters is; undefined: the policy has none. @throws ConfigurationError */
export function paramResource(catalog: Catalog, paramKind: ParamKind | undefined): CatalogEntry | undefined {
  if (paramKind === undefined) return undefined;
  const { apiVersion = '', kind = '' } = paramKind;
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const entry = catalog.findKind(group, version, kind);
  if (entry === undefined) {
    const named = `${group === '' ? '' : group}/${version}, Kind=${kind}`;
    throw new ConfigurationError(`failed to find resource referenced by paramKind: '${named}'`);
  }
  return entry;
}

/** In the version that the policy asks for, with its kind. */
function shown(catalog: Catalog, entry: CatalogEntry, param: Param): Param {
  const { group, version, kind } = entry.info;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const preferred = catalog.preferred(resourceId(entry.info));
  const converted =
    preferred === undefined || preferred === entry
      ? param
      : convertObject(cloneJson(param) as KubeObject, preferred, entry);
  return { ...converted, apiVersion, kind };
}

/**
 * What a binding's parameters are for a request; undefined in place of one where the policy is to judge without.
 * Source: apiserver plugin/policy/generic CollectParams. @throws ConfigurationError
 */
export function collectParams(
  catalog: Catalog,
  objects: Objects,
  entry: CatalogEntry | undefined,
  ref: ParamRef | undefined,
  requestNamespace: string,
): readonly (Param | undefined)[] {
  if (entry === undefined || ref === undefined) return [undefined];
  const { name = '', selector, namespace: asked = '', parameterNotFoundAction: action } = ref;
  const { namespaced } = entry.info;
  const namespace = namespaced ? asked || requestNamespace : '';
  if (namespaced && namespace === '')
    throw new ConfigurationError(
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    );
  if (!namespaced && asked !== '')
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const resource = resourceId(entry.info);
  const found: Param[] = [];
  if (name !== '') {
    const param = objects.get(resource, { namespace, name });
    if (param !== undefined) found.push(param);
  } else if (selector !== undefined) {
    const matching = labelSelectorAsSelector(selector);
    for (const param of objects.list(resource, namespaced ? namespace : undefined))
      if (matching.matches(param.metadata.labels)) found.push(param);
  } else throw new ConfigurationError('one of name or selector must be provided');
  if (found.length === 0 && action === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  return found.map(param => shown(catalog, entry, param));
}
