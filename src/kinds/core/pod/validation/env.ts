import { invalid, notSupported, required, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';
import type { Container, DeepReadonly } from '../../../../machinery/types.js';
import {
  checkConfigMapKey,
  checkDnsLabel,
  checkDnsSubdomain,
  checkEnvVarName,
  checkQualifiedName,
} from '../../../validation/formats.js';
import { checkNoBacksteps } from './paths.js';
import { quantitySign } from '../../../validation/quantities.js';

type Env = DeepReadonly<NonNullable<Container['env']>>;
type EnvFrom = DeepReadonly<NonNullable<Container['envFrom']>>;
type ValueFrom = NonNullable<Env[number]['valueFrom']>;
export type FieldRef = NonNullable<ValueFrom['fieldRef']>;
export type ResourceFieldRef = NonNullable<ValueFrom['resourceFieldRef']>;

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** Labels that ConvertDownwardAPIFieldLabel knows, beside subscripted annotations and labels. */
const DOWNWARD_LABELS = new Set([
  ...ENV_FIELDS,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
]);

/** "metadata.labels['a']" is ["metadata.labels", "a"]. Source: pkg/fieldpath SplitMaybeSubscriptedPath. */
function subscriptOf(path: string): readonly [base: string, key: string] | undefined {
  if (!path.endsWith("']")) return undefined;
  const inner = path.slice(0, -2);
  const at = inner.indexOf("['");
  return at <= 0 ? undefined : [inner.slice(0, at), inner.slice(at + 2)];
}

/** A downward API field; `expressions` are the ones allowed here, sorted. */
export function checkFieldRef(out: FieldError[], at: FieldPath, ref: FieldRef, expressions: readonly string[]): void {
  if (!ref.apiVersion) return void out.push(required(at.child('apiVersion')));
  if (!ref.fieldPath) return void out.push(required(at.child('fieldPath')));
  const fieldPath = at.child('fieldPath');
  if (ref.apiVersion !== 'v1') {
    out.push(
      invalid(fieldPath, ref.fieldPath, `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`),
    );
    return;
  }
  const subscript = subscriptOf(ref.fieldPath);
  const base = subscript?.[0] ?? ref.fieldPath;
  const known =
    subscript === undefined ? DOWNWARD_LABELS.has(base) : base === 'metadata.annotations' || base === 'metadata.labels';
  if (!known) {
    const text =
      subscript === undefined
        ? `error converting fieldPath: field label not supported: ${base}`
        : `error converting fieldPath: field label does not support subscript: ${base}`;
    out.push(invalid(fieldPath, ref.fieldPath, text));
    return;
  }
  if (subscript !== undefined) {
    const [, key] = subscript;
    checkQualifiedName(out, at, base === 'metadata.annotations' ? key.toLowerCase() : key);
  } else {
    const internal = base === 'spec.host' ? 'spec.nodeName' : base;
    if (!expressions.includes(internal)) out.push(notSupported(fieldPath, internal, expressions));
  }
}

const BYTE_DIVISORS = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';
const BYTE_DIVISOR_SET = new Set(BYTE_DIVISORS.split(', '));

function checkDivisor(out: FieldError[], at: FieldPath, resource: string, divisor: string | undefined): void {
  if (divisor === undefined || quantitySign(divisor) === 0) return;
  const field = at.child('divisor');
  const isBytes = BYTE_DIVISOR_SET.has(divisor);
  const refuse = (allowed: string, what: string): void =>
    void out.push(invalid(field, resource, `only divisor's values ${allowed} are supported with the ${what} resource`));
  if (/^(limits|requests)\.cpu$/.test(resource)) {
    if (divisor !== '1m' && divisor !== '1') refuse('1m and 1', 'cpu');
  } else if (/^(limits|requests)\.memory$/.test(resource)) {
    if (!isBytes) refuse(BYTE_DIVISORS, 'memory');
  } else if (/^(limits|requests)\.ephemeral-storage$/.test(resource)) {
    if (!isBytes) refuse(BYTE_DIVISORS, 'local ephemeral storage');
  } else if (/^(limits|requests)\.hugepages-/.test(resource) && !isBytes) refuse(BYTE_DIVISORS, 'hugepages');
}

export function checkResourceFieldRef(out: FieldError[], at: FieldPath, ref: ResourceFieldRef, volume: boolean): void {
  if (volume && !ref.containerName) out.push(required(at.child('containerName')));
  else if (!ref.resource) out.push(required(at.child('resource')));
  else if (!RESOURCE_FIELDS.includes(ref.resource) && !/^(limits|requests)\.hugepages-/.test(ref.resource))
    out.push(notSupported(at.child('resource'), ref.resource, RESOURCE_FIELDS));
  checkDivisor(out, at, ref.resource, ref.divisor);
}

function checkKeyRef(out: FieldError[], at: FieldPath, ref: { readonly name?: string; readonly key: string }): void {
  checkDnsSubdomain(out, at.child('name'), ref.name ?? '');
  if (!ref.key) out.push(required(at.child('key')));
  else checkConfigMapKey(out, at.child('key'), ref.key);
}

function checkFileKeyRef(out: FieldError[], at: FieldPath, ref: NonNullable<ValueFrom['fileKeyRef']>): void {
  if (!ref.key) out.push(required(at.child('key')));
  else checkEnvVarName(out, at.child('key'), ref.key);
  if (!ref.volumeName) out.push(required(at.child('volumeName')));
  else checkDnsLabel(out, at.child('volumeName'), ref.volumeName);
  if (!ref.path) out.push(required(at.child('path')));
  else checkNoBacksteps(out, at.child('path'), ref.path);
}

function checkValueFrom(out: FieldError[], at: FieldPath, from: ValueFrom, value: string | undefined): void {
  let sources = 0;
  if (from.fieldRef !== undefined) {
    sources++;
    checkFieldRef(out, at.child('fieldRef'), from.fieldRef, ENV_FIELDS);
  }
  if (from.resourceFieldRef !== undefined) {
    sources++;
    checkResourceFieldRef(out, at.child('resourceFieldRef'), from.resourceFieldRef, false);
  }
  if (from.configMapKeyRef !== undefined) {
    sources++;
    checkKeyRef(out, at.child('configMapKeyRef'), from.configMapKeyRef);
  }
  if (from.secretKeyRef !== undefined) {
    sources++;
    checkKeyRef(out, at.child('secretKeyRef'), from.secretKeyRef);
  }
  if (from.fileKeyRef !== undefined) {
    sources++;
    checkFileKeyRef(out, at.child('fileKeyRef'), from.fileKeyRef);
  }
  if (sources === 0) {
    const choice = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    out.push(invalid(at, '', `must specify one of: ${choice}`));
  } else if (value) out.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) out.push(invalid(at, '', 'may not have more than one field specified at a time'));
}

export function checkEnv(out: FieldError[], at: FieldPath, vars: Env | undefined): void {
  (vars ?? []).forEach((env, i) => {
    const item = at.index(i);
    if (!env.name) out.push(required(item.child('name')));
    else checkEnvVarName(out, item.child('name'), env.name);
    if (env.valueFrom !== undefined) checkValueFrom(out, item.child('valueFrom'), env.valueFrom, env.value);
  });
}

export function checkEnvFrom(out: FieldError[], at: FieldPath, sources: EnvFrom | undefined): void {
  (sources ?? []).forEach((source, i) => {
    const item = at.index(i);
    if (source.prefix) checkEnvVarName(out, item.child('prefix'), source.prefix);
    let count = 0;
    const checkName = (name: string, ref: { readonly name?: string } | undefined): void => {
      if (ref === undefined) return;
      count++;
      if (!ref.name) out.push(required(item.child(name, 'name')));
      // Upstream checks these as name prefixes, which may end in a dash.
      else checkDnsSubdomain(out, item.child(name, 'name'), ref.name, true);
    };
    checkName('configMapRef', source.configMapRef);
    checkName('secretRef', source.secretRef);
    // Upstream reports these two at the list, not at the item.
    if (count === 0) out.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (count > 1) out.push(invalid(at, '', 'may not have more than one field specified at a time'));
  });
}
