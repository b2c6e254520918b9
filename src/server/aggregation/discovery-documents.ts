/**
 * What other servers say that they serve, read as what it is: a stranger's text. Of a list only so much is taken, and of
 * an entry only the fields there are.
 */

const MAX_RESOURCES = 5_000;
const MAX_GROUP_VERSIONS = 1_000;
const MAX_WORDS = 100;

interface ResponseKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface DiscoveredSubresource {
  readonly subresource: string;
  readonly responseKind: ResponseKind;
  readonly verbs: readonly string[] | null;
}

/** apidiscovery.k8s.io/v2 APIResourceDiscovery. */
export interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind: ResponseKind;
  readonly scope: string;
  readonly singularResource: string;
  /** null: nothing was said, which Go writes so. */
  readonly verbs: readonly string[] | null;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly DiscoveredSubresource[];
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const fieldsIn = (value: unknown, limit: number): Fields[] =>
  Array.isArray(value) ? value.slice(0, limit).filter(isFields) : [];
const words = (value: unknown): string[] =>
  Array.isArray(value) ? value.slice(0, MAX_WORDS).filter(word => typeof word === 'string') : [];
const some = (list: readonly string[]): readonly string[] | undefined => (list.length === 0 ? undefined : list);

const verbs = (value: unknown): string[] | null => (Array.isArray(value) ? words(value) : null);

const responseKind = (value: unknown): ResponseKind => {
  const { group, version, kind } = isFields(value) ? value : {};
  return { group: text(group), version: text(version), kind: text(kind) };
};

function resource(fields: Fields, subresources: readonly DiscoveredSubresource[]): DiscoveredResource {
  const shortNames = some(words(fields['shortNames']));
  const categories = some(words(fields['categories']));
  return {
    resource: text(fields['resource']),
    responseKind: responseKind(fields['responseKind']),
    scope: text(fields['scope']),
    singularResource: text(fields['singularResource']),
    verbs: verbs(fields['verbs']),
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

const subresource = (fields: Fields): DiscoveredSubresource => ({
  subresource: text(fields['subresource']),
  responseKind: responseKind(fields['responseKind']),
  verbs: verbs(fields['verbs']),
});

/** Resources by "group/version". */
export type Discovered = ReadonlyMap<string, readonly DiscoveredResource[]>;

/** An APIGroupDiscoveryList; undefined: it is none. */
export function readAggregated(document: unknown): Discovered | undefined {
  if (!isFields(document) || document['kind'] !== 'APIGroupDiscoveryList') return undefined;
  const found = new Map<string, DiscoveredResource[]>();
  for (const group of fieldsIn(document['items'], MAX_GROUP_VERSIONS)) {
    const { name } = isFields(group['metadata']) ? group['metadata'] : {};
    for (const version of fieldsIn(group['versions'], MAX_WORDS)) {
      const resources = fieldsIn(version['resources'], MAX_RESOURCES).map(fields =>
        resource(fields, fieldsIn(fields['subresources'], MAX_WORDS).map(subresource)),
      );
      found.set(`${text(name)}/${text(version['version'])}`, resources);
    }
  }
  return found;
}

/**
 * The resources of an APIResourceList, subresources below theirs (apiserver ConvertGroupVersionIntoToDiscovery).
 * undefined: it is none, or contradicts itself.
 */
export function readLegacy(document: unknown): DiscoveredResource[] | undefined {
  if (!isFields(document) || document['kind'] !== 'APIResourceList') return undefined;
  const all = fieldsIn(document['resources'], MAX_RESOURCES).map(fields => {
    const name = text(fields['name']);
    const slash = name.indexOf('/');
    return {
      fields,
      parent: slash < 0 ? name : name.slice(0, slash),
      below: slash < 0 ? undefined : name.slice(slash + 1),
      scope: fields['namespaced'] === true ? 'Namespaced' : 'Cluster',
    };
  });
  const found: { readonly fields: Fields; readonly scope: string; readonly below: DiscoveredSubresource[] }[] = [];
  const byName = new Map<string, (typeof found)[number]>();
  const add = (name: string, scope: string, fields: Fields): (typeof found)[number] => {
    const entry = { fields: { ...fields, resource: name, scope }, scope, below: [] };
    found.push(entry);
    byName.set(name, entry);
    return entry;
  };
  for (const { fields, parent, below, scope } of all)
    if (below === undefined)
      add(parent, scope, { ...fields, responseKind: responseKind(fields), singularResource: fields['singularName'] });
  for (const { fields, parent, below, scope } of all) {
    if (below === undefined) continue;
    // One without a parent stands below what is not said further.
    const entry = byName.get(parent) ?? add(parent, scope, {});
    if (entry.scope !== scope) return undefined;
    const kind = text(fields['kind']) === '' ? {} : fields;
    entry.below.push({ subresource: below, responseKind: responseKind(kind), verbs: verbs(fields['verbs']) });
  }
  return found.map(({ fields, below }) => resource(fields, below));
}
