import { compileCel } from '../../../machinery/cel/check.js';
import { invalid, type FieldError, type FieldPath } from '../../../machinery/field-error.js';

/** A policy's own variables. They come one by one, and each may name those before it: the record grows, it is not copied. */
export interface Composed {
  /** By name; without a prototype. */
  readonly types: Readonly<Record<string, string>>;
  readonly size: number;
}

export interface CelRules {
  /** Variables of admission that the expression may name. */
  readonly variables: readonly string[];
  readonly composed?: Composed;
  /** The types that the result may have; absent: any. */
  readonly returns?: readonly string[];
}

/** What every expression of admission may name. */
export const REQUEST_VARIABLES: readonly string[] = ['object', 'oldObject', 'request', 'namespaceObject', 'authorizer'];

const TYPES: Readonly<Record<string, string>> = {
  object: 'dyn',
  oldObject: 'dyn',
  params: 'dyn',
  request: 'kubernetes.AdmissionRequest',
  namespaceObject: 'kubernetes.Namespace',
  authorizer: 'kubernetes.authorization.Authorizer',
};

const STRINGS = 'map(string, string)';
const VARIABLES = 'kubernetes.variables';

const STRUCTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kubernetes.GroupVersionKind': { group: 'string', version: 'string', kind: 'string' },
  'kubernetes.GroupVersionResource': { group: 'string', version: 'string', resource: 'string' },
  'kubernetes.UserInfo': {
    username: 'string',
    uid: 'string',
    groups: 'list(string)',
    extra: 'map(string, list(string))',
  },
  'kubernetes.AdmissionRequest': {
    kind: 'kubernetes.GroupVersionKind',
    resource: 'kubernetes.GroupVersionResource',
    subResource: 'string',
    requestKind: 'kubernetes.GroupVersionKind',
    requestResource: 'kubernetes.GroupVersionResource',
    requestSubResource: 'string',
    name: 'string',
    namespace: 'string',
    operation: 'string',
    userInfo: 'kubernetes.UserInfo',
    dryRun: 'bool',
    options: 'dyn',
  },
  'kubernetes.Namespace': {
    metadata: 'kubernetes.NamespaceMetadata',
    spec: 'kubernetes.NamespaceSpec',
    status: 'kubernetes.NamespaceStatus',
  },
  'kubernetes.NamespaceMetadata': {
    name: 'string',
    generateName: 'string',
    namespace: 'string',
    labels: STRINGS,
    annotations: STRINGS,
    UID: 'string',
    creationTimestamp: 'google.protobuf.Timestamp',
    deletionGracePeriodSeconds: 'int',
    deletionTimestamp: 'google.protobuf.Timestamp',
    generation: 'int',
    resourceVersion: 'string',
    finalizers: 'list(string)',
  },
  'kubernetes.NamespaceSpec': { finalizers: 'list(string)' },
  'kubernetes.NamespaceStatus': { phase: 'string' },
  'kubernetes.authorization.Authorizer': { requestResource: 'kubernetes.authorization.ResourceCheck' },
  'kubernetes.DRADevice': {
    driver: 'string',
    attributes: 'map(string, map(string, dyn))',
    capacity: 'map(string, map(string, unknown))',
    allowMultipleAllocations: 'bool',
  },
};

const mismatch = ([only = '', ...more]: readonly string[], got: string): string =>
  more.length === 0
    ? `must evaluate to ${only} but got ${got}`
    : `must evaluate to one of [${[only, ...more].join(' ')}] but got ${got}`;

/** A selector of devices: about one device, true or false. */
export function checkDeviceSelector(out: FieldError[], at: FieldPath, expression: string): void {
  const variables = new Map([['device', 'kubernetes.DRADevice']]);
  const { type, text } = compileCel(expression, { variables, structs: STRUCTS });
  if (text !== '') out.push(invalid(at, expression, `compilation failed: ${text}`));
  else if (!['bool', 'dyn', 'unknown'].includes(type))
    out.push(invalid(at, expression, `must evaluate to bool or the unknown type, not ${type}`));
}

/** Says what is wrong with an expression of admission. @returns its type */
export function checkCel(out: FieldError[], at: FieldPath, expression: string, rules: CelRules): string {
  const { composed, returns } = rules;
  const variables = new Map(rules.variables.map(name => [name, TYPES[name] ?? 'unknown']));
  if (composed !== undefined && composed.size > 0) variables.set('variables', VARIABLES);
  const structs = composed === undefined ? STRUCTS : { ...STRUCTS, [VARIABLES]: composed.types };
  const { type, text } = compileCel(expression, { variables, structs });
  if (text !== '') out.push(invalid(at, expression, `compilation failed: ${text}`));
  else if (returns !== undefined && type !== 'unknown' && !returns.includes(type))
    out.push(invalid(at, expression, mismatch(returns, type)));
  return type;
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

export const isCelIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name);
