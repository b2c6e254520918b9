import type { KubeObject, ObjectKey } from '../../src/machinery/types.js';
import type { UserInfo } from '../../src/api/strategy.js';
import type { Attributes } from '../../src/server/auth/authorizer.js';
import type { Lookup } from '../../src/server/auth/lookup.js';
import type { PolicyRule } from '../../src/server/auth/rbac/rules.js';

/** Objects in a map that tests may change. */
export function objectsOf(initial: readonly { resource: string; object: KubeObject }[] = []): Lookup & {
  add(resource: string, object: KubeObject): void;
  remove(resource: string, key: ObjectKey): void;
} {
  const byResource = new Map<string, Map<string, KubeObject>>();
  const idOf = (key: ObjectKey): string => `${key.namespace}/${key.name}`;
  const of = (resource: string): Map<string, KubeObject> => {
    const known = byResource.get(resource) ?? new Map<string, KubeObject>();
    byResource.set(resource, known);
    return known;
  };
  const add = (resource: string, object: KubeObject): void => {
    const { namespace = '', name = '' } = object.metadata;
    of(resource).set(idOf({ namespace, name }), object);
  };
  for (const { resource, object } of initial) add(resource, object);
  return {
    add,
    remove: (resource, key) => void of(resource).delete(idOf(key)),
    get: (resource, key) => of(resource).get(idOf(key)),
    list: (resource, namespace = '') =>
      [...of(resource).values()].filter(o => namespace === '' || o.metadata.namespace === namespace),
  };
}

export const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  groups: [...groups, 'system:authenticated'],
});

/** "get pods/log ns/name in group" in short: `ask(user, 'get', 'apps:deployments/scale', 'ns', 'name')`. */
export function ask(who: UserInfo, verb: string, what: string, namespace = '', name = ''): Attributes {
  const isResource = !what.startsWith('/');
  const [left = '', right] = isResource ? what.split(':') : [''];
  const [resource = '', subresource = ''] = (right ?? left).split('/');
  return {
    user: who,
    verb,
    isResource,
    group: right === undefined ? '' : left,
    version: 'v1',
    resource,
    subresource,
    namespace,
    name,
    path: isResource ? '' : what,
  };
}

export const rbac = 'rbac.authorization.k8s.io';

export const role = (
  name: string,
  rules: PolicyRule[],
  namespace?: string,
): { resource: string; object: KubeObject } => ({
  resource: namespace === undefined ? `clusterroles.${rbac}` : `roles.${rbac}`,
  object: { metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, rules },
});

export const bind = (
  name: string,
  roleRef: { kind: string; name: string },
  subjects: { kind: string; name: string; namespace?: string }[],
  namespace?: string,
): { resource: string; object: KubeObject } => ({
  resource: namespace === undefined ? `clusterrolebindings.${rbac}` : `rolebindings.${rbac}`,
  object: { metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, roleRef, subjects },
});

export const person = (name: string) => ({ kind: 'User', name });
