import type { JsonSchema } from '../../machinery/cel/adapt/declared.js';
import { declareSchema, type SchemaType } from '../../machinery/cel/adapt/schema.js';
import { isStatusError } from '../../machinery/status.js';
import type { GroupVersionKind } from '../../machinery/types.js';
import type { Client } from '../../client/types.js';

/** A schema as OpenAPI has it: parts that others share are references. */
type OpenApiSchema = JsonSchema & {
  readonly $ref?: string;
  readonly allOf?: readonly OpenApiSchema[];
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
};

export interface OpenApiDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, OpenApiSchema>> };
}

const PREFIX = '#/components/schemas/';
/** What refers to itself is looked into this far. */
const ANYTHING: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
/** Parts of one kind, with all that is written out in the place of references. */
const MAX_PARTS = 50_000;

/** Puts what is referred to in the place of references. */
function createResolver(schemas: Readonly<Record<string, OpenApiSchema>>): (schema: OpenApiSchema) => JsonSchema {
  const open = new Set<string>();
  let left = MAX_PARTS;
  const named = (ref: string): JsonSchema => {
    const name = ref.startsWith(PREFIX) ? ref.slice(PREFIX.length) : '';
    const target = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (target === undefined || open.has(name)) return ANYTHING;
    open.add(name);
    const resolved = resolve(target);
    open.delete(name);
    return resolved;
  };
  const resolve = (schema: OpenApiSchema): JsonSchema => {
    if (left-- <= 0) return ANYTHING;
    const { $ref, allOf, properties, items, additionalProperties, ...rest } = schema;
    // A reference with more beside it, as a default, is wrapped.
    const only = allOf?.length === 1 ? allOf[0]?.$ref : undefined;
    const ref = $ref ?? only;
    if (ref !== undefined) return named(ref);
    return {
      ...rest,
      // Kinds that are built in say it by a format.
      ...(rest.format === 'int-or-string' ? { 'x-kubernetes-int-or-string': true } : {}),
      ...(properties === undefined
        ? {}
        : { properties: Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, resolve(of)])) }),
      ...(items === undefined ? {} : { items: resolve(items) }),
      ...(typeof additionalProperties === 'object'
        ? { additionalProperties: resolve(additionalProperties) }
        : additionalProperties === undefined
          ? {}
          : { additionalProperties }),
    };
  };
  return resolve;
}

/** The schema of a kind in the document of its group and version; undefined: it is not there. */
export function schemaIn(
  document: OpenApiDocument,
  { group, version, kind }: GroupVersionKind,
): JsonSchema | undefined {
  const schemas = document.components?.schemas ?? {};
  const found = Object.values(schemas).find(schema =>
    schema['x-kubernetes-group-version-kind']?.some(
      own => own.group === group && own.version === version && own.kind === kind,
    ),
  );
  return found === undefined ? undefined : createResolver(schemas)(found);
}

/** What is declared of a kind; undefined: the server does not serve it, or tells nothing of it. */
export async function schemaOf(client: Client, kind: GroupVersionKind): Promise<SchemaType | undefined> {
  const { group, version } = kind;
  const path = group === '' ? `/openapi/v3/api/${version}` : `/openapi/v3/apis/${group}/${version}`;
  try {
    const document = (await client.request('GET', path)) as OpenApiDocument;
    const schema = schemaIn(document, kind);
    return schema && declareSchema(schema, { isRoot: true, name: kind.kind });
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}
