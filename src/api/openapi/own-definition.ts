import type { JsonObject } from '../../machinery/types.js';
import type { ResourceInfo } from '../resource-info.js';

/** A reference to a type of api-schemas/ ("meta.v1.ObjectMeta"), which the document then has, too. */
export type Refer = (type: string, description: string) => JsonObject;

/** What the documents say of a kind that api-schemas/ does not know. */
export interface OwnDefinition {
  /** The name of the object's definition, e.g. "org.example.v1.Widget". */
  readonly name: string;
  schema(version: 2 | 3, refer: Refer): JsonObject;
}

/** Such a kind and the resource that serves it. */
export interface OwnKind {
  readonly info: ResourceInfo;
  readonly definition: OwnDefinition;
}

const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';

/** metav1.TypeMeta's fields. */
export const TYPE_META: Readonly<Record<'apiVersion' | 'kind', JsonObject>> = {
  apiVersion: {
    description: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${CONVENTIONS}#resources`,
    type: 'string',
  },
  kind: {
    description: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
    type: 'string',
  },
};
export const METADATA_TEXT = `Standard object's metadata. More info: ${CONVENTIONS}#metadata`;
/** The same fields of an object inside another one. */
export const EMBEDDED_META: typeof TYPE_META = {
  apiVersion: {
    description: `apiVersion defines the versioned schema of this representation of an object. More info: ${CONVENTIONS}#resources`,
    type: 'string',
  },
  kind: {
    description: `kind is a string value representing the type of this object. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
    type: 'string',
  },
};

export const groupVersionKind = (group: string, version: string, kind: string): JsonObject => ({
  'x-kubernetes-group-version-kind': [{ group, kind, version }],
});

export const selectableFields = ({ info }: Pick<OwnKind, 'info'>): JsonObject =>
  info.selectableFields.size === 0
    ? {}
    : { 'x-kubernetes-selectable-fields': [...info.selectableFields.values()].map(fieldPath => ({ fieldPath })) };

/** The definition of a list of objects. */
export function listDefinition({ info }: OwnKind, refPrefix: string, name: string, refer: Refer): JsonObject {
  return {
    description: `${info.listKind} is a list of ${info.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: TYPE_META.apiVersion,
      items: {
        description: `List of ${info.plural}. More info: ${CONVENTIONS}`,
        type: 'array',
        items: { $ref: `${refPrefix}${name}` },
      },
      kind: TYPE_META.kind,
      metadata: refer('meta.v1.ListMeta', `Standard list metadata. More info: ${CONVENTIONS}#types-kinds`),
    },
    ...groupVersionKind(info.group, info.version, info.listKind),
    ...selectableFields({ info }),
  };
}
