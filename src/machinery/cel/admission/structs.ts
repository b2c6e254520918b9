import { BOOL, DYN, INT, listOf, mapOf, STRING, struct, TIMESTAMP, type Type } from '../types.js';
import type { TypeProvider } from '../provider.js';

type Fields = Readonly<Record<string, Type>>;

const TEXTS = listOf(STRING);
const LABELS = mapOf(STRING, STRING);
const GROUP_VERSION_KIND = struct('kubernetes.GroupVersionKind');
const GROUP_VERSION_RESOURCE = struct('kubernetes.GroupVersionResource');
const CONDITION = struct('kubernetes.NamespaceCondition');

export const REQUEST = struct('kubernetes.AdmissionRequest');
export const NAMESPACE = struct('kubernetes.Namespace');
export const VARIABLES = struct('kubernetes.variables');
export const DEVICE = struct('kubernetes.DRADevice');

/** Sources: k8s.io/apiserver pkg/admission/plugin/cel/compile.go; dynamic-resource-allocation/cel/compile.go. */
const STRUCTS: ReadonlyMap<string, Fields> = new Map(
  Object.entries({
    'kubernetes.GroupVersionKind': { group: STRING, version: STRING, kind: STRING },
    'kubernetes.GroupVersionResource': { group: STRING, version: STRING, resource: STRING },
    'kubernetes.UserInfo': { username: STRING, uid: STRING, groups: TEXTS, extra: mapOf(STRING, TEXTS) },
    // Neither uid nor the objects, which are variables of their own.
    'kubernetes.AdmissionRequest': {
      kind: GROUP_VERSION_KIND,
      resource: GROUP_VERSION_RESOURCE,
      subResource: STRING,
      requestKind: GROUP_VERSION_KIND,
      requestResource: GROUP_VERSION_RESOURCE,
      requestSubResource: STRING,
      name: STRING,
      namespace: STRING,
      operation: STRING,
      userInfo: struct('kubernetes.UserInfo'),
      dryRun: BOOL,
      options: DYN,
    },
    'kubernetes.Namespace': {
      metadata: struct('kubernetes.NamespaceMetadata'),
      spec: struct('kubernetes.NamespaceSpec'),
      status: struct('kubernetes.NamespaceStatus'),
    },
    'kubernetes.NamespaceMetadata': {
      name: STRING,
      generateName: STRING,
      namespace: STRING,
      labels: LABELS,
      annotations: LABELS,
      UID: STRING,
      creationTimestamp: TIMESTAMP,
      deletionGracePeriodSeconds: INT,
      deletionTimestamp: TIMESTAMP,
      generation: INT,
      resourceVersion: STRING,
      finalizers: TEXTS,
    },
    'kubernetes.NamespaceSpec': { finalizers: TEXTS },
    'kubernetes.NamespaceStatus': { conditions: listOf(CONDITION), phase: STRING },
    'kubernetes.NamespaceCondition': {
      status: STRING,
      type: STRING,
      lastTransitionTime: TIMESTAMP,
      message: STRING,
      reason: STRING,
    },
    'kubernetes.DRADevice': {
      driver: STRING,
      attributes: mapOf(STRING, mapOf(STRING, DYN)),
      capacity: mapOf(STRING, mapOf(STRING, struct('kubernetes.Quantity'))),
      allowMultipleAllocations: BOOL,
    },
  } satisfies Record<string, Fields>),
);

const fieldOf = (fields: Fields | undefined, field: string): Type | undefined =>
  fields !== undefined && Object.hasOwn(fields, field) ? fields[field] : undefined;

/** `variables`: the types of a policy's own variables, which may grow. */
export const providerOf = (variables?: ReadonlyMap<string, Type>): TypeProvider => ({
  field: (of, field) => (of === VARIABLES.name ? variables?.get(field) : fieldOf(STRUCTS.get(of), field)),
  has: of => STRUCTS.has(of) || (of === VARIABLES.name && variables !== undefined),
});

const KEPT = new Set<Type['kind']>([
  'bool',
  'bytes',
  'double',
  'duration',
  'int',
  'null',
  'string',
  'timestamp',
  'uint',
]);

/** What is known of a variable's type where it is used: of what has fields, nothing. */
export function variableType(type: Type): Type {
  if (KEPT.has(type.kind)) return type;
  const [first, second] = type.params;
  if (type.kind === 'list' && first !== undefined) return listOf(variableType(first));
  if (type.kind === 'map' && first !== undefined && second !== undefined)
    return mapOf(variableType(first), variableType(second));
  return DYN;
}
