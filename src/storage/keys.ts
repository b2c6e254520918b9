import type { ObjectKey } from '../machinery/types.js';

/** The part of a catalog entry that says where its objects are kept. */
export interface StorageLocation {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export const ROOT = '/registry/';

/**
 * Where upstream does not use the plain plural (kubernetes pkg/kubeapiserver/default_storage_factory_builder.go,
 * SpecialDefaultResourcePrefixes). Kept because keys show in the texts of precondition errors.
 */
const SPECIAL_PREFIXES: Readonly<Record<string, string>> = {
  replicationcontrollers: 'controllers',
  endpoints: 'services/endpoints',
  nodes: 'minions',
  services: 'services/specs',
  'ingresses.networking.k8s.io': 'ingress',
};

/** Groups whose plurals are unique among each other; every other group is part of the key. */
const FLAT_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** "/registry/configmaps/": every object of the resource has a key that starts with it. */
export function resourcePrefix(location: StorageLocation): string {
  const { group, resource } = location;
  const special = SPECIAL_PREFIXES[group === '' ? resource : `${resource}.${group}`];
  if (special !== undefined) return `${ROOT}${special}/`;
  return FLAT_GROUPS.has(group) ? `${ROOT}${resource}/` : `${ROOT}${group}/${resource}/`;
}

/** The key below the resource's prefix: "namespace/name", or "name". */
export const relativeKey = (key: ObjectKey): string =>
  key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;

export const objectKey = (prefix: string, key: ObjectKey): string => prefix + relativeKey(key);

/** What a list of a namespace (or, with '', of everything) ranges over. */
export const listPrefix = (prefix: string, namespace: string): string =>
  namespace === '' ? prefix : `${prefix}${namespace}/`;

export function parseKey(prefix: string, key: string, namespaced: boolean): ObjectKey {
  const rest = key.slice(prefix.length);
  const slash = namespaced ? rest.indexOf('/') : -1;
  return slash < 0 ? { namespace: '', name: rest } : { namespace: rest.slice(0, slash), name: rest.slice(slash + 1) };
}
