import {
  errorList,
  forbidden,
  invalid,
  path,
  required,
  tooLong,
  type FieldError,
} from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { ConfigMap, DeepReadonly, KubeObject, Secret } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkConfigMapKey, checkImmutable, sortedEntries } from '../validation/formats.js';
import { ageCell, nameCell } from '../cells.js';
import { trimEnd } from '../../machinery/trim.js';

/** 1 MiB, of all keys' values together. */
const MAX_BYTES = 1024 * 1024;
const DATA = path('data');
const IMMUTABLE = 'field is immutable when `immutable` is set';

/** Null is what the wire has for no bytes. */
const base64Bytes = (text: string | null): number => Math.floor((trimEnd(text ?? '', '=').length * 3) / 4);
const count = (map: Readonly<Record<string, string>> | undefined): number => Object.keys(map ?? {}).length;

/** `immutable` cannot be taken back, and nothing under `fields` may change while it is set. */
function checkFrozen(
  out: FieldError[],
  now: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject>,
  fields: readonly string[],
): void {
  if (old['immutable'] !== true) return;
  if (now['immutable'] !== true) out.push(forbidden(path('immutable'), IMMUTABLE));
  for (const field of fields) if (!semanticEqual(now[field], old[field])) out.push(forbidden(path(field), IMMUTABLE));
}

function checkConfigMap(out: FieldError[], config: DeepReadonly<ConfigMap>): void {
  let size = 0;
  for (const [key, value] of sortedEntries(config.data)) {
    checkConfigMapKey(out, DATA.key(key), key);
    if (config.binaryData !== undefined && Object.hasOwn(config.binaryData, key))
      out.push(invalid(DATA.key(key), key, 'duplicate of key present in binaryData'));
    size += Buffer.byteLength(value);
  }
  for (const [key, value] of sortedEntries(config.binaryData)) {
    checkConfigMapKey(out, path('binaryData').key(key), key);
    size += base64Bytes(value);
  }
  // The whole object: upstream's path is empty and prints as "[]".
  if (size > MAX_BYTES) out.push(tooLong('[]', MAX_BYTES));
}

export const configMapStrategy: Strategy<ConfigMap> = {
  validate(_ctx, config) {
    const out = errorList();
    checkConfigMap(out, config);
    return out;
  },
  validateUpdate(_ctx, config, old) {
    const out = errorList();
    checkFrozen(out, config, old, ['data', 'binaryData']);
    checkMetadataAgain(out, config, { namespaced: true, name: nameIsDnsSubdomain });
    checkConfigMap(out, config);
    return out;
  },
  cells: (config, nowMs) => ({
    cells: [nameCell(config), count(config.data) + count(config.binaryData), ageCell(config, nowMs)],
  }),
};

/** What json.Unmarshal says about something that is no JSON object; undefined when it is one. */
function jsonProblem(base64: string): string | undefined {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  if (text.trim() === '') return 'unexpected end of JSON input';
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined;
    const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  } catch {
    const first = text.trim()[0] ?? '';
    return `invalid character '${first}' looking for beginning of value`;
  }
}

function checkDockerConfig(out: FieldError[], data: Readonly<Record<string, string>>, key: string): void {
  const value = data[key];
  if (value === undefined) return void out.push(required(DATA.key(key)));
  const problem = jsonProblem(value);
  if (problem !== undefined) out.push(invalid(DATA.key(key), '<secret contents redacted>', problem));
}

function checkSecretType(out: FieldError[], secret: DeepReadonly<Secret>): void {
  const data = secret.data ?? {};
  const need = (...keys: string[]): void => {
    for (const key of keys) if (data[key] === undefined) out.push(required(DATA.key(key)));
  };
  switch (secret.type) {
    case 'kubernetes.io/service-account-token': {
      const annotation = 'kubernetes.io/service-account.name';
      if (!secret.metadata.annotations?.[annotation])
        out.push(required(path('metadata', 'annotations').key(annotation)));
      return;
    }
    case 'kubernetes.io/dockercfg':
      return checkDockerConfig(out, data, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return checkDockerConfig(out, data, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      if (data['username'] === undefined && data['password'] === undefined) need('username', 'password');
      return;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) out.push(required(DATA.key('ssh-privatekey')));
      return;
    case 'kubernetes.io/tls':
      return need('tls.crt', 'tls.key');
    default:
  }
}

function checkSecret(out: FieldError[], secret: DeepReadonly<Secret>): void {
  let size = 0;
  for (const [key, value] of sortedEntries(secret.data)) {
    checkConfigMapKey(out, DATA.key(key), key);
    size += base64Bytes(value);
  }
  if (size > MAX_BYTES) out.push(tooLong(DATA, MAX_BYTES));
  checkSecretType(out, secret);
}

export const secretStrategy: Strategy<Secret> = {
  default(secret) {
    secret.type ||= 'Opaque';
    // stringData is a convenience for writers: it is never stored and never shown.
    if (secret.stringData === undefined) return;
    const data = (secret.data ??= {});
    for (const [key, value] of Object.entries(secret.stringData)) data[key] = Buffer.from(value).toString('base64');
    delete secret.stringData;
  },
  prepareForUpdate(_ctx, secret, old) {
    // A PUT that leaves the type out keeps it: the default would be refused as a change.
    if (secret.type === undefined && old.type !== undefined) secret.type = old.type;
  },
  validate(_ctx, secret) {
    const out = errorList();
    checkSecret(out, secret);
    return out;
  },
  validateUpdate(_ctx, secret, old) {
    const out = errorList();
    checkImmutable(out, path('type'), secret.type, old.type);
    checkFrozen(out, secret, old, ['data']);
    checkMetadataAgain(out, secret, { namespaced: true, name: nameIsDnsSubdomain });
    checkSecret(out, secret);
    return out;
  },
  cells: (secret, nowMs) => ({
    cells: [nameCell(secret), secret.type ?? '', count(secret.data), ageCell(secret, nowMs)],
  }),
};
