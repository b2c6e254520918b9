import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';
import type { Api, KindType } from '../load.js';
import { listDefinition, selectableFields, type OwnKind } from './own-definition.js';

/** Texts for types and fields: "io.k8s.api.core.v1.PodSpec" and "io.k8s.api.core.v1.PodSpec.containers". */
export type Descriptions = ReadonlyMap<string, string>;

/** How the two versions of OpenAPI differ where schemas are concerned. */
export interface Dialect {
  readonly refPrefix: string;
  /** A $ref takes no siblings: it is wrapped in allOf. */
  readonly wrapRefs: boolean;
  readonly version: 2 | 3;
}

export const V3: Dialect = { refPrefix: '#/components/schemas/', wrapRefs: true, version: 3 };
export const V2: Dialect = { refPrefix: '#/definitions/', wrapRefs: false, version: 2 };

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const CRD = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

const VERSION_INFO = 'io.k8s.apimachinery.pkg.version.Info';

const VERSION_FIELDS = 'buildDate compiler gitCommit gitTreeState gitVersion goVersion major minor platform'.split(' ');
const OPTIONAL_VERSION_FIELDS = 'emulationMajor emulationMinor minCompatibilityMajor minCompatibilityMinor'.split(' ');

/** What /version answers. */
function versionInfo({ version }: Dialect): JsonObject {
  const required = version === 3 ? { type: 'string', default: '' } : { type: 'string' };
  const properties: JsonObject = {};
  for (const name of VERSION_FIELDS) properties[name] = required;
  for (const name of OPTIONAL_VERSION_FIELDS) properties[name] = { type: 'string' };
  return { type: 'object', properties: sorted(properties), required: VERSION_FIELDS };
}

const anyOf = (dialect: Dialect, ...types: string[]): JsonObject =>
  dialect.version === 3 ? { oneOf: types.map(type => ({ type })) } : { type: 'string' };

/** Named types that are scalars to us but definitions of their own in the documents. */
const SCALAR_DEFINITIONS: Readonly<Record<string, (dialect: Dialect) => JsonObject>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': dialect => anyOf(dialect, 'string', 'number'),
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': dialect => ({
    format: 'int-or-string',
    ...anyOf(dialect, 'integer', 'string'),
  }),
  [`${META}.Time`]: () => ({ type: 'string', format: 'date-time' }),
  [`${META}.MicroTime`]: () => ({ type: 'string', format: 'date-time' }),
  [`${META}.Duration`]: () => ({ type: 'string' }),
  [`${META}.Patch`]: () => ({ type: 'object' }),
  [`${META}.FieldsV1`]: () => ({ type: 'object' }),
  'io.k8s.apimachinery.pkg.runtime.RawExtension': () => ({ type: 'object' }),
  [VERSION_INFO]: versionInfo,
  [`${CRD}.JSON`]: () => ({}),
  [`${CRD}.JSONSchemaPropsOrArray`]: () => ({}),
  [`${CRD}.JSONSchemaPropsOrBool`]: () => ({}),
  [`${CRD}.JSONSchemaPropsOrStringArray`]: () => ({}),
};

/** Bodies and answers with definitions but no type in api-schemas/. */
const NAMED_SCALARS: Readonly<Record<string, string>> = {
  'meta.v1.Patch': `${META}.Patch`,
  'version.Info': VERSION_INFO,
};

const ANY_NAMES: Readonly<Record<string, string>> = {
  'v1.FieldsV1': `${META}.FieldsV1`,
  'v1.JSON': `${CRD}.JSON`,
  '[]v1.JSON': `${CRD}.JSON`,
  'v1.JSONSchemaPropsOrArray': `${CRD}.JSONSchemaPropsOrArray`,
  'v1.JSONSchemaPropsOrBool': `${CRD}.JSONSchemaPropsOrBool`,
  'v1.JSONSchemaDependencies': `${CRD}.JSONSchemaPropsOrStringArray`,
};

function definitionName(type: FieldType, field: Field): string | undefined {
  switch (type.kind) {
    case 'struct':
      return type.struct.name;
    case 'quantity':
      return 'io.k8s.apimachinery.pkg.api.resource.Quantity';
    case 'intOrString':
      return 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
    case 'time':
      return `${META}.Time`;
    case 'microTime':
      return `${META}.MicroTime`;
    case 'string':
      return field.goType === 'v1.Duration' ? `${META}.Duration` : undefined;
    case 'any':
      return ANY_NAMES[field.goType ?? ''] ?? 'io.k8s.apimachinery.pkg.runtime.RawExtension';
    default:
      return undefined;
  }
}

const SCALARS: Partial<Record<FieldType['kind'], JsonObject>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  number: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
};

/** Go zero values that are defaults of items: kube-openapi gives them to everything that is no pointer. */
const ITEM_ZERO: Partial<Record<FieldType['kind'], unknown>> = {
  string: '',
  boolean: false,
  integer: 0,
  number: 0,
  struct: {},
};

const sorted = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Builds definitions and remembers which others they refer to. */
export interface SchemaBuilder {
  /**
   * The schema of a body or answer, by "group/version/kind" or by type name ("meta.v1.Status"); "string" is text.
   * What it refers to becomes part of the result. `own`: a kind that api-schemas/ does not know.
   */
  named(key: string, api: Api, own: OwnKind | undefined): JsonObject;
  definitions(): JsonObject;
}

/**
 * @param kindsOf the group-version-kinds that a type is the body of, by full type name
 * @param elsewhere definitions that another part of the document has
 */
export function createSchemaBuilder(
  dialect: Dialect,
  descriptions: Descriptions,
  kindsOf: ReadonlyMap<string, readonly KindType[]>,
  elsewhere: ReadonlySet<string> = new Set(),
): SchemaBuilder {
  const definitions: JsonObject = {};
  const pending: StructType[] = [];

  const refTo = (name: string, siblings: JsonObject): JsonObject => {
    const ref = { $ref: `${dialect.refPrefix}${name}` };
    if (Object.keys(siblings).length === 0) return ref;
    return dialect.wrapRefs ? { allOf: [ref], ...siblings } : { ...ref, ...withoutDefault(siblings) };
  };

  const require = (type: FieldType, name: string): void => {
    if (elsewhere.has(name) || Object.hasOwn(definitions, name)) return;
    definitions[name] = {};
    if (type.kind === 'struct') pending.push(type.struct);
    else definitions[name] = withText(name, SCALAR_DEFINITIONS[name]?.(dialect) ?? {});
  };

  const withText = (key: string, schema: JsonObject): JsonObject => {
    const text = descriptions.get(key);
    return text === undefined || text === '' ? schema : { description: text, ...schema };
  };

  const typeSchema = (type: FieldType, field: Field, siblings: JsonObject): JsonObject => {
    const name = definitionName(type, field);
    if (name !== undefined) {
      require(type, name);
      return refTo(name, siblings);
    }
    if (type.kind === 'list') return { ...siblings, type: 'array', items: itemSchema(type.items, field) };
    if (type.kind === 'map')
      return { ...siblings, type: 'object', additionalProperties: itemSchema(type.values, field) };
    if (type.kind === 'integer') return { ...siblings, type: 'integer', format: `int${type.bits}` };
    return { ...siblings, ...SCALARS[type.kind] };
  };

  const itemSchema = (type: FieldType, field: Field): JsonObject => {
    const zero = ITEM_ZERO[type.kind];
    return typeSchema(type, field, zero === undefined || dialect.version === 2 ? {} : { default: zero });
  };

  const fieldSchema = (struct: StructType, field: Field): JsonObject => {
    const implied = field.type.kind === 'struct' && !field.pointer ? {} : undefined;
    const byDefault = field.default ?? implied;
    const text = descriptions.get(`${struct.name}.${field.name}`);
    return typeSchema(field.type, field, {
      ...(text === undefined || text === '' ? {} : { description: text }),
      ...(byDefault === undefined || (dialect.version === 2 && isZero(byDefault)) ? {} : { default: byDefault }),
      ...(field.enum === undefined ? {} : { enum: field.enum }),
      ...(field.listMapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': field.listMapKeys }),
      ...(field.listType === undefined ? {} : { 'x-kubernetes-list-type': field.listType }),
      ...(field.mapType === undefined ? {} : { 'x-kubernetes-map-type': field.mapType }),
      ...(field.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
      ...(field.patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': field.patchStrategy }),
    });
  };

  const structSchema = (struct: StructType): JsonObject => {
    const properties: JsonObject = {};
    for (const field of struct.fields) properties[field.name] = fieldSchema(struct, field);
    const required = struct.fields.filter(field => field.required).map(field => field.name);
    const kinds = kindsOf.get(struct.name) ?? [];
    return withText(struct.name, {
      type: 'object',
      ...(struct.fields.length === 0 ? {} : { properties: sorted(properties) }),
      ...(required.length === 0 ? {} : { required: required.sort() }),
      ...(kinds.length === 0
        ? {}
        : { 'x-kubernetes-group-version-kind': kinds.map(({ group, version, kind }) => ({ group, kind, version })) }),
      ...(struct.mapType === undefined ? {} : { 'x-kubernetes-map-type': struct.mapType }),
    });
  };

  const ownRef = (own: OwnKind, api: Api, list: boolean): JsonObject => {
    const { name: object } = own.definition;
    const name = list ? `${object.slice(0, -own.info.kind.length)}${own.info.listKind}` : object;
    const refer = (type: string, description: string): JsonObject => {
      const struct = structNamed(type, api);
      require({ kind: 'struct', struct }, struct.name);
      return refTo(struct.name, { description });
    };
    if (!Object.hasOwn(definitions, name)) {
      definitions[name] = {};
      definitions[name] = list
        ? listDefinition(own, dialect.refPrefix, object, refer)
        : { ...own.definition.schema(dialect.version, refer), ...selectableFields(own) };
      if (list) ownRef(own, api, false);
    }
    return refTo(name, {});
  };

  return {
    named(key, api, own) {
      if (key === 'string') return { type: 'string' };
      const scalar = NAMED_SCALARS[key];
      if (scalar !== undefined) {
        require({ kind: 'any' }, scalar);
        return refTo(scalar, {});
      }
      if (own !== undefined) {
        const { group, version, kind, listKind } = own.info;
        if (key === `${group}/${version}/${kind}`) return ownRef(own, api, false);
        if (key === `${group}/${version}/${listKind}`) return ownRef(own, api, true);
      }
      const struct = structNamed(key, api);
      require({ kind: 'struct', struct }, struct.name);
      return refTo(struct.name, {});
    },
    definitions() {
      for (let next = pending.pop(); next !== undefined; next = pending.pop())
        definitions[next.name] = structSchema(next);
      return sorted(definitions);
    },
  };
}

function structNamed(key: string, api: Api): StructType {
  const slash = key.lastIndexOf('/');
  if (slash < 0) {
    const type = api.type(key);
    if (type === undefined) throw new Error(`api-schemas/ has no type ${key}`);
    return type;
  }
  const [apiVersion, kind] = [key.slice(0, slash), key.slice(slash + 1)];
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const known = api.kind(group ?? '', version ?? '', kind)?.type;
  if (known !== undefined) return known;
  throw new Error(`api-schemas/ has no kind ${key}`);
}

const isZero = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || (typeof value === 'object' && value !== null);

function withoutDefault({ default: _default, ...rest }: JsonObject): JsonObject {
  return rest;
}
