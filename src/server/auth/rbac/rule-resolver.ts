import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import type { UserInfo } from '../../../api/strategy.js';
import type { Lookup } from '../lookup.js';
import { quote } from '../quote.js';
import type { PolicyRule } from './rules.js';

export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

type Binding = DeepReadonly<KubeObject> & { subjects?: readonly Subject[] | null; roleRef: RoleRef };

export const ROLES = 'roles.rbac.authorization.k8s.io';
export const ROLE_BINDINGS = 'rolebindings.rbac.authorization.k8s.io';
export const CLUSTER_ROLES = 'clusterroles.rbac.authorization.k8s.io';
export const CLUSTER_ROLE_BINDINGS = 'clusterrolebindings.rbac.authorization.k8s.io';

/** Rules that apply to a user through one binding; `missing`: the binding names a role that is not there. */
export interface Grant {
  readonly rules: readonly PolicyRule[];
  readonly missing?: string;
  /** `ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`. */
  describe(): string;
}

export interface RuleResolver {
  /** The grants of a user: cluster-wide ones, then those of the namespace ('' for none). */
  grants(user: UserInfo, namespace: string): Iterable<Grant>;
  /** undefined: no such role. `namespace` is the binding's, '' for a ClusterRoleBinding. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
}

/** A subject with the binding it stands in, under the key that a user asks by. */
interface Entry {
  readonly position: number;
  /** Of the subject among those of its binding. */
  readonly index: number;
  readonly binding: Binding;
  readonly subject: Subject;
}
type Index = ReadonlyMap<string, readonly Entry[]>;

const userKey = (name: string): string => `u${name}`;
const groupKey = (name: string): string => `g${name}`;

function keyOf(subject: Subject, bindingNamespace: string): string | undefined {
  switch (subject.kind) {
    case 'User':
      return userKey(subject.name);
    case 'Group':
      return groupKey(subject.name);
    case 'ServiceAccount': {
      const namespace =
        subject.namespace === undefined || subject.namespace === '' ? bindingNamespace : subject.namespace;
      return namespace === '' ? undefined : userKey(`system:serviceaccount:${namespace}:${subject.name}`);
    }
    default:
      return undefined;
  }
}

function buildIndex(bindings: Iterable<DeepReadonly<KubeObject>>): Index {
  const index = new Map<string, Entry[]>();
  let position = 0;
  for (const object of bindings) {
    const binding = object as Binding;
    for (const [at, subject] of (binding.subjects ?? []).entries()) {
      const key = keyOf(subject, binding.metadata.namespace ?? '');
      if (key === undefined) continue;
      const entry = { position, index: at, binding, subject };
      const entries = index.get(key);
      if (entries === undefined) index.set(key, [entry]);
      // A subject that a binding names twice is the one it names first.
      else if (entries.at(-1)?.position !== position) entries.push(entry);
    }
    position++;
  }
  return index;
}

function describeSubject(subject: Subject, bindingNamespace: string): string {
  if (subject.kind !== 'ServiceAccount') return `${subject.kind} ${quote(subject.name)}`;
  const namespace = subject.namespace === undefined || subject.namespace === '' ? bindingNamespace : subject.namespace;
  // Upstream prints name/namespace, in this order.
  return `${subject.kind} ${quote(`${subject.name}/${namespace}`)}`;
}

function describe({ binding, subject }: Entry): string {
  const { name = '', namespace = '' } = binding.metadata;
  const { roleRef } = binding;
  const what = namespace === '' ? `ClusterRoleBinding ${quote(name)}` : `RoleBinding ${quote(`${name}/${namespace}`)}`;
  return `${what} of ${roleRef.kind} ${quote(roleRef.name)} to ${describeSubject(subject, namespace)}`;
}

export function createRuleResolver(lookup: Lookup): RuleResolver {
  /** By namespace, '' for cluster role bindings. */
  const indexes = new Map<string, { generation: number | undefined; index: Index }>();

  const indexOf = (namespace: string): Index => {
    const resource = namespace === '' ? CLUSTER_ROLE_BINDINGS : ROLE_BINDINGS;
    const generation = lookup.generation?.(resource);
    const known = indexes.get(namespace);
    if (known !== undefined && generation !== undefined && known.generation === generation) return known.index;
    const index = buildIndex(lookup.list(resource, namespace === '' ? undefined : namespace));
    // A namespace without bindings is not remembered, or names made up by clients would fill the memory.
    if (index.size === 0 && namespace !== '') indexes.delete(namespace);
    else indexes.set(namespace, { generation, index });
    return index;
  };

  const rulesOf = ({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined => {
    const role =
      kind === 'ClusterRole'
        ? lookup.get(CLUSTER_ROLES, { namespace: '', name })
        : kind === 'Role' && namespace !== ''
          ? lookup.get(ROLES, { namespace, name })
          : undefined;
    return role === undefined ? undefined : ((role['rules'] as readonly PolicyRule[] | null | undefined) ?? []);
  };

  /** The user's bindings in list order, each by the first of its subjects that is the user. */
  const entriesOf = (user: UserInfo, index: Index): Entry[] => {
    const found = new Map<number, Entry>();
    for (const key of [userKey(user.name), ...user.groups.map(groupKey)]) {
      for (const entry of index.get(key) ?? []) {
        const known = found.get(entry.position);
        if (known === undefined || entry.index < known.index) found.set(entry.position, entry);
      }
    }
    return [...found.values()].sort((a, b) => a.position - b.position);
  };

  return {
    rulesOf,
    *grants(user, namespace) {
      for (const scope of namespace === '' ? [''] : ['', namespace]) {
        for (const entry of entriesOf(user, indexOf(scope))) {
          const { roleRef } = entry.binding;
          const rules = rulesOf(roleRef, scope);
          if (rules !== undefined) yield { rules, describe: () => describe(entry) };
          // Upstream's informer names the resource in the singular here.
          else {
            const missing = `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io ${quote(roleRef.name)} not found`;
            yield { rules: [], missing, describe: () => describe(entry) };
          }
        }
      }
    },
  };
}
