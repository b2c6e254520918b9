import { cloneJson } from '../../machinery/json-equal.js';
import { JsonPathError } from '../../machinery/json-path.js';
import { byKubeVersion } from '../../machinery/kube-versions.js';
import type { StructType } from '../../machinery/schema.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { Columns } from '../../api/columns.js';
import type { Conversion, Converter } from '../../api/conversion.js';
import type { CheckedWrite, KindSchema } from '../../api/kind-schema.js';
import { storageVersionHash } from '../../api/load.js';
import type { ResourceInfo, SubresourceInfo, Verb } from '../../api/resource-info.js';
import { printerColumns } from '../../api/structural/columns.js';
import type { JsonSchemaProps } from '../../api/structural/json-schema-props.js';
import { structural } from '../../api/structural/structural.js';
import { isTrue } from './conditions.js';
import { groupOf, storageVersionOf, versionsOf, type Definition, type Names, type Version } from './definition.js';
import { deprecationWarning } from './deprecation.js';
import { splitPath } from './nested.js';
import { checkScale } from './scale.js';
import { customResourceStrategy, refusingCreation } from './strategy.js';
import { selectableFields } from './selectable-fields.js';

const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const TERMINATING_VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'watch'];
const PART_VERBS: readonly Verb[] = ['get', 'patch', 'update'];

export interface EntryOptions {
  /** Go's ObjectMeta. */
  readonly objectMeta: StructType;
  /** For definitions whose objects somebody else converts. */
  readonly converterOf?: (definition: Definition) => Converter | undefined;
}

/** What serves the objects of a definition. */
export interface CustomKind {
  /** Of the served versions, the preferred one first. */
  readonly served: readonly CatalogEntry[];
  /** Of the version that objects are stored in, served or not. */
  readonly storage: CatalogEntry;
}

/** undefined: the definition has no names yet, or no version to store in. */
export function customKind(definition: Definition, options: EntryOptions): CustomKind | undefined {
  const names = acceptedNames(definition);
  const stored = storageVersionOf(definition);
  if (names === undefined || stored === undefined) return undefined;
  const schemas = new Map<string, KindSchema>();
  const converter = options.converterOf?.(definition);
  const conversion: Conversion = {
    schemaOf: apiVersion => schemas.get(apiVersion),
    ...(converter === undefined ? {} : { converter }),
  };
  const entries = versionsOf(definition).map(version => {
    const { objectMeta } = options;
    const columns = columnsOf(version);
    const gvk = { group: groupOf(definition), version: version.name, kind: names.kind };
    const scale = version.subresources?.scale;
    const more = scale === undefined ? {} : { more: (write: CheckedWrite) => checkScale(write, scale) };
    const schema = structural(() => propsOf(version), { ...gvk, columns, objectMeta, ...more });
    schemas.set(`${gvk.group}/${gvk.version}`, schema);
    const info = infoOf(definition, names, version, stored);
    const strategy = customResourceStrategy(version, { info, replicasPaths: replicasPaths(definition) });
    return { version, entry: { info, schema, strategy, conversion } };
  });
  const served = entries.filter(({ version }) => version.served).map(({ entry }) => entry);
  served.sort((a, b) => byKubeVersion(a.info.version, b.info.version));
  const storage = entries.find(({ version }) => version === stored)?.entry;
  return storage && { served, storage };
}

/** The same, while the definition is going: nothing new is created, and discovery says so. */
export function terminating({ served, storage }: CustomKind): CustomKind {
  const going = (entry: CatalogEntry): CatalogEntry => ({
    ...entry,
    info: { ...entry.info, advertisedVerbs: TERMINATING_VERBS },
    strategy: { ...entry.strategy, ...refusingCreation(entry.info) },
  });
  return { served: served.map(going), storage: going(storage) };
}

export const isTerminating = (definition: Definition): boolean => isTrue(definition, 'Terminating');

/** undefined: something is missing yet. */
function acceptedNames(definition: Definition): Required<Names> | undefined {
  const given = definition.status?.acceptedNames;
  const { plural = '', singular = '', kind = '', listKind = '' } = given ?? {};
  if ([plural, singular, kind, listKind].includes('')) return undefined;
  const { shortNames = [], categories = [] } = given ?? {};
  return { plural, singular, kind, listKind, shortNames: [...shortNames], categories: [...categories] };
}

/** One without a schema knows nothing of its objects. */
const propsOf = ({ schema }: Version): JsonSchemaProps => cloneJson(schema?.openAPIV3Schema ?? { type: 'object' });

function columnsOf({ additionalPrinterColumns = [] }: Version): Columns {
  try {
    return printerColumns(additionalPrinterColumns.map(column => ({ ...column })));
  } catch (error) {
    // The definition's own validation lets no such path pass; upstream prints one from elsewhere as any kind.
    if (!(error instanceof JsonPathError)) throw error;
    return printerColumns();
  }
}

function replicasPaths(definition: Definition): Record<string, string> {
  return Object.fromEntries(
    versionsOf(definition).map(({ name, subresources }) => {
      const path = subresources?.scale?.specReplicasPath ?? '';
      return [`${groupOf(definition)}/${name}`, splitPath(path).join('.')];
    }),
  );
}

function subresourcesOf({ subresources }: Version, own: Omit<SubresourceInfo, 'name' | 'verbs'>): SubresourceInfo[] {
  const found: SubresourceInfo[] = [];
  if (subresources?.status !== undefined) found.push({ ...own, name: 'status', verbs: PART_VERBS });
  if (subresources?.scale !== undefined)
    found.push({ name: 'scale', verbs: PART_VERBS, group: 'autoscaling', version: 'v1', kind: 'Scale' });
  return found;
}

function infoOf(definition: Definition, names: Required<Names>, version: Version, stored: Version): ResourceInfo {
  const group = groupOf(definition);
  const { plural, singular, kind, listKind, shortNames, categories } = names;
  const warning = deprecationWarning(definition, version);
  const hasStatus = version.subresources?.status !== undefined;
  return {
    group,
    version: version.name,
    kind,
    listKind,
    plural,
    singular,
    shortNames,
    categories,
    namespaced: definition.spec?.scope === 'Namespaced',
    verbs: VERBS,
    dynamic: true,
    subresources: subresourcesOf(version, { group, version: version.name, kind }),
    storage: { group, version: stored.name, resource: plural },
    ...(stored.served
      ? { storageVersionHash: storageVersionHash(group, stored.name, definition.spec?.names.kind ?? '') }
      : {}),
    stored: true,
    selectableFields: new Map([...selectableFields(version).keys()].map(label => [label, label])),
    customFieldLabels: true,
    generation: 'content',
    deleteReturns: 'status',
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    defaultPropagation: 'Background',
    resetFields: hasStatus ? { '': ['status'], status: ['spec'] } : {},
    nameFormat: 'subdomain',
    metadataRules: { create: 'machinery', update: 'machinery' },
    ...(warning === undefined ? {} : { deprecationWarning: warning }),
  };
}
