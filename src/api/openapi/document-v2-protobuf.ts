import { ProtobufWriter } from '../../machinery/protobuf-wire.js';
import type { JsonObject } from '../../machinery/types.js';

/**
 * The definitions of an OpenAPI v2 document as gnostic's protobuf, which kubectl before 1.29 reads before it creates or
 * explains anything. Paths are left out: those clients look operations up in OpenAPI v3.
 * Field numbers: github.com/google/gnostic openapiv2/OpenAPIv2.proto.
 */
export function documentV2Protobuf(document: JsonObject): Buffer {
  const writer = new ProtobufWriter(1 << 20);
  const definitions = document['definitions'] as Record<string, JsonObject>;
  message(writer, 9, () => namedSchemas(writer, 1, definitions));
  message(writer, 8, () => undefined);
  const { title, version } = document['info'] as { title: string; version: string };
  message(writer, 2, () => {
    writer.stringField(2, version);
    writer.stringField(1, title);
  });
  writer.stringField(1, '2.0');
  return writer.finish();
}

function message(writer: ProtobufWriter, number: number, body: () => void): void {
  const mark = writer.mark;
  body();
  writer.tagged(number, mark);
}

function namedSchemas(writer: ProtobufWriter, number: number, schemas: Record<string, JsonObject>): void {
  for (const [name, schema] of Object.entries(schemas).reverse())
    message(writer, number, () => {
      message(writer, 2, () => writeSchema(writer, schema));
      writer.stringField(1, name);
    });
}

/** gnostic's Any: field 2 holds YAML, of which JSON is a part. */
const any = (writer: ProtobufWriter, number: number, value: unknown): void =>
  message(writer, number, () => writer.stringField(2, `${JSON.stringify(value)}\n`));

/** A schema's fields, from the highest number to the lowest. */
function writeSchema(writer: ProtobufWriter, schema: JsonObject): void {
  const text = (number: number, key: string): void => {
    const value = schema[key];
    if (typeof value === 'string') writer.stringField(number, value);
  };
  const list = (key: string): unknown[] => [...((schema[key] as unknown[] | undefined) ?? [])].reverse();
  for (const [key, value] of Object.entries(schema).reverse()) {
    if (!key.startsWith('x-')) continue;
    message(writer, 31, () => {
      any(writer, 2, value);
      writer.stringField(1, key);
    });
  }
  const properties = schema['properties'] as Record<string, JsonObject> | undefined;
  if (properties !== undefined) message(writer, 25, () => namedSchemas(writer, 1, properties));
  const items = schema['items'] as JsonObject | undefined;
  if (items !== undefined) message(writer, 23, () => message(writer, 1, () => writeSchema(writer, items)));
  const type = schema['type'];
  if (typeof type === 'string') message(writer, 22, () => writer.stringField(1, type));
  const values = schema['additionalProperties'] as JsonObject | undefined;
  if (values !== undefined) message(writer, 21, () => message(writer, 1, () => writeSchema(writer, values)));
  for (const value of list('enum')) any(writer, 20, value);
  for (const name of list('required')) writer.stringField(19, name as string);
  if (schema['default'] !== undefined) any(writer, 5, schema['default']);
  text(4, 'description');
  text(2, 'format');
  text(1, '$ref');
}
