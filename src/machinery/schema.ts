/**
 * The shape of API types, as the codec, the strategic merge, server-side apply, the protobuf codec and the OpenAPI
 * builder see them. Built from api-schemas/ for built-in kinds; CRDs build the same shapes at run time.
 */
export type FieldType =
  | { readonly kind: 'string' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly bits: 32 | 64 }
  | { readonly kind: 'number' }
  /** base64 in JSON ([]byte). */
  | { readonly kind: 'bytes' }
  | { readonly kind: 'quantity' }
  | { readonly kind: 'intOrString' }
  /** metav1.Time, RFC 3339 with seconds. */
  | { readonly kind: 'time' }
  /** metav1.MicroTime. */
  | { readonly kind: 'microTime' }
  /** Any JSON: RawExtension, JSON, FieldsV1. 'granular': its maps are merged member by member. */
  | { readonly kind: 'any'; readonly mapType?: 'granular' }
  | { readonly kind: 'struct'; readonly struct: StructType }
  | { readonly kind: 'list'; readonly items: FieldType }
  | { readonly kind: 'map'; readonly values: FieldType };

export interface Field {
  /** JSON name. */
  readonly name: string;
  readonly type: FieldType;
  /** Go field is a pointer: an explicit zero is kept, absence is meaningful. */
  readonly pointer: boolean;
  /** Go tag omitempty / omitzero: the zero value is not written. Without it the field is always present in answers. */
  readonly omit: 'empty' | 'zero' | 'never';
  readonly required: boolean;
  /** Behind a feature gate that is off: dropped from what is written. */
  readonly disabled?: boolean;
  /** OpenAPI default, applied by defaulting AND used for absent keys of list-map items in server-side apply. */
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  /** 'atomic': server-side apply treats the map or struct as one value. */
  readonly mapType?: 'atomic' | 'granular';
  readonly patchMergeKey?: string;
  /** "merge", "replace", "retainKeys" or "merge,retainKeys". */
  readonly patchStrategy?: string;
  /** Protobuf field number; undefined when the type has no protobuf form. */
  readonly protobuf?: number;
  /** Go embeds the struct that holds this field: JSON flattens it, protobuf nests it under these numbers, outermost first. */
  readonly protobufEmbedded?: readonly number[];
  /** Names of those structs, which decode errors show on the way to the field. */
  readonly embeddedIn?: readonly string[];
  /** Go type name as upstream writes it, e.g. "map[string]string", "*int32", "DNSPolicy". */
  readonly goType?: string;
}

export interface StructType {
  /** Full name, e.g. "io.k8s.api.core.v1.PodSpec". */
  readonly name: string;
  /** Go name as in decode errors, e.g. "PodSpec". */
  readonly goName: string;
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  /** Server-side apply treats every use of the type as one value (e.g. LabelSelector). */
  readonly mapType?: 'atomic' | 'granular';
  /** Set where unknown fields are kept (CRDs with x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknownFields?: boolean;
}
