import t from 'tap';
import { parseEncryptionConfiguration } from '../../../../src/server/encryption/configuration.js';
import { createResourceOfKey } from '../../../../src/server/encryption/resource-of-key.js';
import { createTransformers } from '../../../../src/server/encryption/transformers.js';
import { createCatalog } from '../../../../src/api/create-catalog.js';
import { loadApi } from '../../../../src/api/load.js';

const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n';
const IDENTITY = 'providers: [{identity: {}}]';
const rules = (...all: string[]): string => `${HEAD}resources:\n${all.map(rule => `- ${rule}\n`).join('')}`;
const of = (resources: string, providers = IDENTITY): string => rules(`{resources: [${resources}], ${providers}}`);
const SECRET = Buffer.alloc(32, 7).toString('base64');
const PARSING = 'error while parsing file: ';
const DECODING = `${PARSING}error decoding encryption provider configuration file "f": `;
const OVERLAP =
  "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";

/** Recorded with kube-apiserver 1.35.4; where ours differs, the row says so. */
const BAD: { name: string; text: string; error: string }[] = [
  {
    name: 'empty',
    text: '',
    error: `${PARSING}error while loading file: encryption provider configuration file "f" is empty`,
  },
  { name: 'no rules', text: HEAD, error: `${PARSING}resources: Required value: at least one resources is required` },
  {
    name: 'a rule that says nothing',
    text: rules('{resources: [], providers: []}'),
    error: `${PARSING}[resources[0].resources: Required value: at least one resources[0].resources is required, resources[0].providers: Required value: at least one resources[0].providers is required]`,
  },
  {
    name: 'overlap',
    text: of('secrets, "*."'),
    error: `${PARSING}resources[0].resources: Invalid value: ["secrets","*."]: ${OVERLAP}`,
  },
  {
    name: 'twice',
    text: of('secrets, secrets'),
    error: `${PARSING}resources[0].resources: Invalid value: ["secrets","secrets"]: the same resource cannot be specified multiple times`,
  },
  {
    name: 'names',
    text: of('"*", Secrets, a.extensions, events.events.k8s.io, pods.*, apiserveripinfo'),
    error: `${PARSING}[resources[0].resources: Invalid value: ["*","Secrets","a.extensions","events.events.k8s.io","pods.*","apiserveripinfo"]: ${OVERLAP}, resources[0].resources[0]: Invalid value: "*": use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources, resources[0].resources[1]: Invalid value: "Secrets": resource name should not contain capital letters, resources[0].resources[2]: Invalid value: "a.extensions": 'extensions' group has been removed and cannot be used for encryption, resources[0].resources[3]: Invalid value: "events.events.k8s.io": '*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file, resources[0].resources[4]: Invalid value: "pods.*": encrypting the same resource across groups is not supported, resources[0].resources[5]: Invalid value: "apiserveripinfo": resources which do not have REST API/s cannot be encrypted]`,
  },
  {
    name: 'keys',
    text: of(
      'secrets',
      'providers: [{aescbc: {keys: []}}, {aesgcm: {keys: [{name: "", secret: ""}]}}, {secretbox: {keys: [{name: a, secret: "!!"}, {name: b, secret: eA==}]}}, {aescbc: {keys: [{name: b, secret: eA==}]}}]',
    ),
    error: `${PARSING}[resources[0].providers[0].aescbc.keys: Required value: at least one keys is required, resources[0].providers[1].aesgcm.keys[0].name: Required value: name is a mandatory field for a key, resources[0].providers[1].aesgcm.keys[0].secret: Required value: secret is a mandatory field for a key, resources[0].providers[2].secretbox.keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded, resources[0].providers[2].secretbox.keys[1].secret: Invalid value: "REDACTED": secret is not of the expected length, got 1, expected one of [32], resources[0].providers[3].aescbc.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 1, expected one of [16 24 32]]`,
  },
  {
    name: 'no provider',
    text: of('secrets', 'providers: [{}]'),
    error: `${PARSING}resources[0].providers[0]: Invalid value: {"AESGCM":null,"AESCBC":null,"Secretbox":null,"Identity":null,"KMS":null}: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity`,
  },
  {
    name: 'two providers in one; upstream shows their keys',
    text: of('secrets', `providers: [{identity: {}, aescbc: {keys: [{name: k, secret: ${SECRET}}]}}]`),
    error: `${PARSING}resources[0].providers[0]: Invalid value: "REDACTED": more than one provider specified in a single element, should split into different list elements`,
  },
  {
    name: 'kms, which upstream has',
    text: of('secrets', 'providers: [{kms: {name: k, endpoint: "unix:///x"}}]'),
    error: `${PARSING}resources[0].providers[0].kms: Invalid value: "REDACTED": kms is not supported: want aescbc, aesgcm, secretbox or identity`,
  },
  {
    name: 'unknown field',
    text: rules(`{resources: [secrets], foo: 1, ${IDENTITY}}`),
    error: `${DECODING}strict decoding error: unknown field "resources[0].foo"`,
  },
  {
    name: 'another kind',
    text: 'kind: Foo\napiVersion: v1\n',
    error: `${DECODING}no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"`,
  },
  {
    name: 'masked by a group',
    text: rules(`{resources: ["*.apps"], ${IDENTITY}}`, `{resources: [deployments.apps], ${IDENTITY}}`),
    error: 'error while building transformers: resource "deployments.apps" is masked by earlier rule "*.apps"',
  },
  {
    name: 'masked by everything',
    text: rules(`{resources: ["*.*"], ${IDENTITY}}`, `{resources: [secrets], ${IDENTITY}}`),
    error: 'error while building transformers: resource "secrets" is masked by earlier rule "*.*"',
  },
  {
    name: 'masked by the core group',
    text: rules(`{resources: ["*."], ${IDENTITY}}`, `{resources: [secrets], ${IDENTITY}}`),
    error: 'error while building transformers: resource "secrets" is masked by earlier rule "*."',
  },
];

t.test('a file that cannot be used is refused in the words of kube-apiserver', t => {
  for (const { name, text, error } of BAD)
    t.throws(() => createTransformers(parseEncryptionConfiguration('f', text)), { message: error }, name);
  t.match(() => parseEncryptionConfiguration('f', 'a: ['), Function);
  t.throws(() => parseEncryptionConfiguration('f', 'a: ['), {
    message: /^error while parsing file: error decoding .*yaml: line 1/,
  });
  t.throws(() => parseEncryptionConfiguration('f', `${HEAD}resources: 1\n`), { name: 'EncryptionConfigError' });
  t.end();
});

const KEYS = `keys: [{name: key1, secret: ${SECRET}}]`;

t.test('the most particular rule counts', t => {
  const transformerFor = createTransformers(
    parseEncryptionConfiguration(
      'f',
      rules(
        `{resources: [secrets], providers: [{aescbc: {${KEYS}}}]}`,
        `{resources: [widgets.example.com], providers: [{aesgcm: {${KEYS}}}]}`,
        `{resources: ["*.apps"], providers: [{secretbox: {${KEYS}}}]}`,
        `{resources: [events], ${IDENTITY}}`,
        `{resources: ["*.*"], providers: [{aescbc: {${KEYS}}}]}`,
      ),
    ),
  );
  const cases: [group: string, resource: string, prefix: string][] = [
    ['', 'secrets', 'k8s:enc:aescbc:v1:key1:'],
    ['example.com', 'widgets', 'k8s:enc:aesgcm:v1:key1:'],
    ['apps', 'deployments', 'k8s:enc:secretbox:v1:key1:'],
    ['', 'events', '{"a":1}'],
    ['batch', 'jobs', 'k8s:enc:aescbc:v1:key1:'],
  ];
  for (const [group, resource, prefix] of cases) {
    const sealed = transformerFor({ group, resource })?.seal(Buffer.from('{"a":1}'), '/k');
    t.equal(
      Buffer.from(sealed ?? '')
        .subarray(0, prefix.length)
        .toString(),
      prefix,
      `${resource}.${group}`,
    );
  }
  t.equal(
    createTransformers(parseEncryptionConfiguration('f', of('secrets')))({ group: '', resource: 'pods' }),
    undefined,
  );
  t.end();
});

t.test('a storage key says whose it is', t => {
  const resourceOf = createResourceOfKey(createCatalog({}, loadApi()));
  const cases: [key: string, group: string, resource: string][] = [
    ['/registry/secrets/ns/a', '', 'secrets'],
    ['/registry/minions/n', '', 'nodes'],
    ['/registry/services/specs/ns/a', '', 'services'],
    ['/registry/services/endpoints/ns/a', '', 'endpoints'],
    ['/registry/deployments/ns/a', 'apps', 'deployments'],
    ['/registry/example.com/widgets/ns/a', 'example.com', 'widgets'],
    ['/registry/apiregistration.k8s.io/apiservices/v1.', 'apiregistration.k8s.io', 'apiservices'],
  ];
  for (const [key, group, resource] of cases) t.same(resourceOf(key), { group, resource }, key);
  for (const key of ['/registry/health', '/registry/ranges/serviceips/1', '/other'])
    t.equal(resourceOf(key), undefined, key);
  t.end();
});
