import {
  formatFieldError,
  invalid,
  path,
  required,
  type FieldError,
  type FieldPath,
} from '../../machinery/field-error.js';
import { yamlToJson } from '../../api/codec/yaml.js';
import { aggregate } from '../auth/quote.js';

/** A file of --encryption-provider-config that cannot be used. */
export class EncryptionConfigError extends Error {
  override readonly name = 'EncryptionConfigError';
}

export interface Key {
  readonly name?: string;
  /** Base64. */
  readonly secret?: string;
}

export interface Provider {
  readonly aesgcm?: { readonly keys?: readonly Key[] };
  readonly aescbc?: { readonly keys?: readonly Key[] };
  readonly secretbox?: { readonly keys?: readonly Key[] };
  readonly identity?: object;
  readonly kms?: object;
}

/** apiserver.config.k8s.io/v1 EncryptionConfiguration. */
export interface EncryptionConfiguration {
  readonly resources: readonly { readonly resources: readonly string[]; readonly providers: readonly Provider[] }[];
}

/** "secrets", "deployments.apps", "*.", "*.apps" or "*.*". */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export function parseGroupResource(text: string): GroupResource {
  const dot = text.indexOf('.');
  return dot < 0 ? { group: '', resource: text } : { group: text.slice(dot + 1), resource: text.slice(0, dot) };
}

type Shape = 'string' | 'object' | { readonly list: Shape } | { readonly [field: string]: Shape };

const KEYS = { keys: { list: { name: 'string', secret: 'string' } } } as const;
const SHAPE: Shape = {
  apiVersion: 'string',
  kind: 'string',
  resources: {
    list: {
      resources: { list: 'string' },
      providers: {
        list: {
          aesgcm: KEYS,
          aescbc: KEYS,
          secretbox: KEYS,
          identity: {},
          kms: 'object',
        },
      },
    },
  },
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields that are not known, by their paths, and what is not what it should be. */
function checkShape(out: string[], at: string, value: unknown, shape: Shape): void {
  if (value === undefined || value === null) return;
  if (shape === 'string') {
    if (typeof value !== 'string') out.push(`${at}: want a string`);
  } else if (shape === 'object') {
    if (!isObject(value)) out.push(`${at}: want an object`);
  } else if ('list' in shape) {
    const of = shape.list;
    if (!Array.isArray(value)) out.push(`${at}: want a list`);
    else value.forEach((item, i) => checkShape(out, `${at}[${i}]`, item, of));
  } else if (!isObject(value)) {
    out.push(`${at}: want an object`);
  } else {
    for (const [name, member] of Object.entries(value)) {
      const here = at === '' ? name : `${at}.${name}`;
      const known = Object.hasOwn(shape, name) ? (shape as Record<string, Shape>)[name] : undefined;
      if (known === undefined) out.push(`unknown field ${JSON.stringify(here)}`);
      else checkShape(out, here, member, known);
    }
  }
}

const API_VERSION = 'apiserver.config.k8s.io/v1';
const KIND = 'EncryptionConfiguration';

/** @throws EncryptionConfigError in upstream's words (k8s.io/apiserver pkg/server/options/encryptionconfig) */
export function parseEncryptionConfiguration(file: string, text: string): EncryptionConfiguration {
  const quoted = JSON.stringify(file);
  const fail = (why: string): EncryptionConfigError => new EncryptionConfigError(`error while parsing file: ${why}`);
  if (text === '') throw fail(`error while loading file: encryption provider configuration file ${quoted} is empty`);
  const decoding = (why: string): EncryptionConfigError =>
    fail(`error decoding encryption provider configuration file ${quoted}: ${why}`);
  const { json, error } = yamlToJson(text);
  if (error !== undefined) throw decoding(`error converting YAML to JSON: ${error}`);
  const value: unknown = JSON.parse(json);
  if (!isObject(value)) throw decoding(`want an object of kind ${KIND}`);
  const { kind = '', apiVersion = '' } = value;
  if (kind !== KIND || apiVersion !== API_VERSION)
    throw decoding(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  const problems: string[] = [];
  checkShape(problems, '', value, SHAPE);
  if (problems.length > 0) throw decoding(`strict decoding error: ${problems.join(', ')}`);
  const resources = (value['resources'] ?? []) as Partial<EncryptionConfiguration['resources'][number]>[];
  const configuration: EncryptionConfiguration = {
    resources: resources.map(one => ({ resources: one.resources ?? [], providers: one.providers ?? [] })),
  };
  const errors = validateEncryptionConfiguration(configuration);
  if (errors.length > 0) throw fail(aggregate(errors.map(formatFieldError)));
  return configuration;
}

const ROOT = path('resources');
const AES_KEYS = [16, 24, 32];
const SECRETBOX_KEYS = [32];

/** Provider names as Go's struct has them, in its order. */
const PROVIDERS = ['aesgcm', 'aescbc', 'secretbox', 'identity', 'kms'] as const;

/** k8s.io/apiserver pkg/apis/apiserver/validation/validation_encryption.go. */
function validateEncryptionConfiguration({ resources }: EncryptionConfiguration): FieldError[] {
  const out: FieldError[] = [];
  const atLeastOne = (at: FieldPath, what = String(at)): void =>
    void out.push(required(at, `at least one ${what} is required`));
  if (resources.length === 0) atLeastOne(ROOT);
  resources.forEach((one, i) => {
    const [named, providers] = [ROOT.index(i).child('resources'), ROOT.index(i).child('providers')];
    if (one.resources.length === 0) atLeastOne(named);
    checkOverlap(out, named, one.resources);
    one.resources.forEach((text, j) => checkName(out, named.index(j), text));
    if (one.providers.length === 0) atLeastOne(providers);
    one.providers.forEach((provider, j) => checkProvider(out, providers.index(j), provider));
  });
  return out;
}

function checkOverlap(out: FieldError[], at: FieldPath, names: readonly string[]): void {
  if (names.length < 2) return;
  const all = names.map(parseGroupResource);
  const perGroup = new Map<string, number>();
  for (const { group } of all) perGroup.set(group, (perGroup.get(group) ?? 0) + 1);
  if (new Set(all.map(({ group, resource }) => `${resource}.${group}`)).size < all.length)
    out.push(invalid(at, names, 'the same resource cannot be specified multiple times'));
  const distinct = new Set(all.map(({ group, resource }) => `${resource}.${group}`)).size;
  const overlaps = all.some(
    ({ group, resource }) => resource === '*' && distinct > 1 && (group === '*' || (perGroup.get(group) ?? 0) > 1),
  );
  if (overlaps)
    out.push(
      invalid(
        at,
        names,
        "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked",
      ),
    );
}

const NO_API = ['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations'];

function nameProblem(text: string): string | undefined {
  if (text !== text.toLowerCase()) return 'resource name should not contain capital letters';
  if (text === '*') return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
  if (NO_API.includes(text)) return 'resources which do not have REST API/s cannot be encrypted';
  const { group, resource } = parseGroupResource(text);
  if (group === 'events.k8s.io')
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
  if (group === 'extensions') return "'extensions' group has been removed and cannot be used for encryption";
  if (group === '*' && resource !== '*') return 'encrypting the same resource across groups is not supported';
  return undefined;
}

function checkName(out: FieldError[], at: FieldPath, text: string): void {
  const problem = nameProblem(text);
  if (problem !== undefined) out.push(invalid(at, text, problem));
}

/** Upstream's struct, as its errors show it. */
const NO_PROVIDER = { AESGCM: null, AESCBC: null, Secretbox: null, Identity: null, KMS: null };

function checkProvider(out: FieldError[], at: FieldPath, provider: Provider): void {
  const given = PROVIDERS.filter(name => provider[name] !== undefined && provider[name] !== null);
  if (given.length === 0)
    out.push(
      invalid(
        at,
        NO_PROVIDER,
        'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity',
      ),
    );
  // What the providers hold is secret: it is not shown.
  else if (given.length > 1)
    out.push(
      invalid(
        at,
        'REDACTED',
        'more than one provider specified in a single element, should split into different list elements',
      ),
    );
  const [name] = given;
  if (name === 'kms')
    out.push(invalid(at.child('kms'), 'REDACTED', 'kms is not supported: want aescbc, aesgcm, secretbox or identity'));
  else if (name !== undefined && name !== 'identity')
    checkKeys(
      out,
      at.child(name, 'keys'),
      provider[name]?.keys ?? [],
      name === 'secretbox' ? SECRETBOX_KEYS : AES_KEYS,
    );
}

function checkKeys(out: FieldError[], at: FieldPath, keys: readonly Key[], lengths: readonly number[]): void {
  if (keys.length === 0) return void out.push(required(at, 'at least one keys is required'));
  keys.forEach(({ name = '', secret = '' }, i) => {
    const here = at.index(i);
    if (name === '') out.push(required(here.child('name'), 'name is a mandatory field for a key'));
    if (secret === '') return void out.push(required(here.child('secret'), 'secret is a mandatory field for a key'));
    const bytes = decodeBase64(secret);
    if (bytes === undefined) out.push(invalid(here.child('secret'), 'REDACTED', 'secrets must be base64 encoded'));
    else if (!lengths.includes(bytes.length))
      out.push(
        invalid(
          here.child('secret'),
          'REDACTED',
          `secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(' ')}]`,
        ),
      );
  });
}

/** Go's base64.StdEncoding, which passes over ends of lines; undefined: it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  const joined = text.replaceAll('\n', '').replaceAll('\r', '');
  const bytes = Buffer.from(joined, 'base64');
  return bytes.toString('base64') === joined ? bytes : undefined;
}
