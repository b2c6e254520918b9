import type { Field, FieldType, StructType } from '../../machinery/schema.js';

/** Types by Go's names, for those of which only the shape matters. */
const PLAIN: Readonly<Record<string, FieldType>> = {
  string: { kind: 'string' },
  bool: { kind: 'boolean' },
  int32: { kind: 'integer', bits: 32 },
  int64: { kind: 'integer', bits: 64 },
  '[]byte': { kind: 'bytes' },
  '[]string': { kind: 'list', items: { kind: 'string' } },
  'map[string]string': { kind: 'map', values: { kind: 'string' } },
  RawExtension: { kind: 'any' },
  '[]RawExtension': { kind: 'list', items: { kind: 'any' } },
};

/** A field, by its Go type: one of the plain ones, "NAME=PLAIN" for a named one, "*" before it for a pointer, or a struct. */
function field(name: string, type: string | StructType | readonly [StructType]): Field {
  const common = { name, omit: 'empty', required: false } as const;
  if (typeof type === 'string') {
    const pointer = type.startsWith('*');
    const [goType = '', plain = goType] = (pointer ? type.slice(1) : type).split('=');
    const found = PLAIN[plain];
    if (found === undefined) throw new RangeError(`no Go type ${plain}`);
    return { ...common, type: found, pointer, goType };
  }
  if ('goName' in type)
    return { ...common, type: { kind: 'struct', struct: type }, pointer: true, goType: `v1.${type.goName}` };
  const [item] = type;
  const items: FieldType = { kind: 'struct', struct: item };
  return { ...common, type: { kind: 'list', items }, pointer: false, goType: `[]v1.${item.goName}` };
}

export function goStruct(
  goName: string,
  members: Readonly<Record<string, string | StructType | readonly [StructType]>>,
): StructType {
  const fields = Object.entries(members).map(([name, type]) => field(name, type));
  return { name: goName, goName, fields, byName: new Map(fields.map(each => [each.name, each])) };
}

/** metav1.Status, as somebody else sends it. */
export const STATUS: StructType = goStruct('Status', {
  kind: 'string',
  apiVersion: 'string',
  metadata: goStruct('ListMeta', {
    selfLink: 'string',
    resourceVersion: 'string',
    continue: 'string',
    remainingItemCount: '*int64',
  }),
  status: 'string',
  message: 'string',
  reason: 'v1.StatusReason=string',
  details: goStruct('StatusDetails', {
    name: 'string',
    group: 'string',
    kind: 'string',
    uid: 'types.UID=string',
    causes: [goStruct('StatusCause', { reason: 'v1.CauseType=string', message: 'string', field: 'string' })],
    retryAfterSeconds: 'int32',
  }),
  code: 'int32',
});
