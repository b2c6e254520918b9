import type * as k8s from '@kubernetes/client-node';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, GroupVersionKind, Wire } from '../../machinery/types.js';
import type { Client } from '../../client/types.js';

export type PolicySpec = DeepReadonly<Wire<k8s.V1ValidatingAdmissionPolicySpec>>;

/** As many are checked of one policy. Source: apiserver plugin/policy/validating/typechecking.go. */
const MAX_KINDS = 10;

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

const isExact = (name: string): boolean => !name.includes('*');
const sorted = (names: readonly string[] | undefined): string[] => [...(names ?? [])].sort();

/** The resources that rules name; of rules with a wildcard for group or version, none. Subresources are left out. */
export function* resourcesOf({ matchConstraints }: PolicySpec): Generator<GroupVersionResource, void, void> {
  for (const { apiGroups, apiVersions, resources } of matchConstraints?.resourceRules ?? []) {
    if (![...(apiGroups ?? []), ...(apiVersions ?? [])].every(isExact)) continue;
    for (const group of sorted(apiGroups))
      for (const version of sorted(apiVersions))
        for (const resource of sorted(resources))
          if (isExact(resource) && !resource.includes('/')) yield { group, version, resource };
  }
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string }[];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The kinds that a policy is about, as far as it names them, in order. */
export async function kindsOf(client: Client, spec: PolicySpec): Promise<GroupVersionKind[]> {
  const lists = new Map<string, ResourceList>();
  const listOf = async (path: string): Promise<ResourceList> => {
    const known = lists.get(path);
    if (known !== undefined) return known;
    let list: ResourceList = { resources: [] };
    try {
      list = (await client.request('GET', path)) as ResourceList;
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
    lists.set(path, list);
    return list;
  };
  const found = new Map<string, GroupVersionKind>();
  for (const { group, version, resource } of resourcesOf(spec)) {
    if (found.size === MAX_KINDS) break;
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const { resources } = await listOf(path);
    const kind = resources.find(({ name }) => name === resource)?.kind;
    if (kind !== undefined) found.set(`${path} ${kind}`, { group, version, kind });
  }
  return [...found.values()].sort(
    (a, b) => compare(a.group, b.group) || compare(a.version, b.version) || compare(a.kind, b.kind),
  );
}
