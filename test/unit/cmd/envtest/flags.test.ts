import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkFeatureGates } from '../../../../src/cmd/envtest/feature-gates.js';
import { ETCD_FLAGS } from '../../../../src/cmd/envtest/etcd-flags.js';
import { helpText, parseFlags, type FlagTable } from '../../../../src/cmd/envtest/flags.js';
import { KUBE_APISERVER_FLAGS } from '../../../../src/cmd/envtest/kube-apiserver-flags.js';
import { checkRuntimeConfig, servedVersions } from '../../../../src/cmd/envtest/runtime-config.js';
import { ROOT } from '../../../support/root.js';

/** What `kube-apiserver --help` of 1.35.4 lists: name, whether it takes a value, its default. */
const UPSTREAM = readFileSync(join(ROOT, 'test/unit/cmd/envtest/kube-apiserver-1.35-flags.txt'), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => line.split(' '));

/** Not upstream's any more, but said by older kits. */
const OLD = 'insecure-port';
/** Ours is the other way round: nothing is refused to a container. */
const TURNED = 'allow-privileged';

const groups = ({ honoured, harmless, refused }: FlagTable) => [{ flags: honoured }, ...harmless, ...refused];

t.test('every flag of kube-apiserver 1.35 has one row, of its type and with its default', t => {
  const rows = groups(KUBE_APISERVER_FLAGS).flatMap(({ flags }) => Object.entries(flags));
  const names = rows.map(([name]) => name).sort();
  t.same(names, [...UPSTREAM.map(([name = '']) => name), OLD].sort());
  const standard = new Map(rows);
  for (const [name = '', type, value = ''] of UPSTREAM) {
    t.equal(typeof standard.get(name) === 'boolean', type === 'bool', `--${name} takes a value or none`);
    // Lists of names and issuers are empty upstream as well; what --help says of them is in words.
    if (name !== TURNED) t.equal(String(standard.get(name)), value, `default of --${name}`);
  }
  t.end();
});

t.test('every flag, given something else than its default, is honoured, warned of or refused by name', t => {
  for (const [name, standard] of groups(KUBE_APISERVER_FLAGS).flatMap(({ flags }) => Object.entries(flags))) {
    const arg = `--${name}=${typeof standard === 'boolean' ? String(!standard) : 'other'}`;
    const isIn = (list: FlagTable['refused']): boolean => list.some(({ flags }) => Object.hasOwn(flags, name));
    if (isIn(KUBE_APISERVER_FLAGS.refused)) {
      t.throws(() => parseFlags(KUBE_APISERVER_FLAGS, [arg]), { message: new RegExp(`^--${name} is not supported: `) });
      continue;
    }
    const { values, warnings } = parseFlags(KUBE_APISERVER_FLAGS, [arg]);
    t.equal(values.has(name), Object.hasOwn(KUBE_APISERVER_FLAGS.honoured, name), arg);
    t.equal(warnings.length, values.has(name) ? 0 : 1, arg);
  }
  t.end();
});

const CASES: { name: string; args: string[]; values?: Record<string, string[]>; warnings?: number; error?: string }[] =
  [
    {
      name: 'both forms of a value',
      args: ['--secure-port', '1', '--bind-address=::1'],
      values: { 'secure-port': ['1'], 'bind-address': ['::1'] },
    },
    {
      name: 'a flag that is given twice',
      args: ['--service-account-key-file=a', '--service-account-key-file=b'],
      values: { 'service-account-key-file': ['a', 'b'] },
    },
    {
      name: 'a boolean takes no argument',
      args: ['--anonymous-auth', '-v4'],
      values: { 'anonymous-auth': ['true'], v: ['4'] },
    },
    { name: 'a boolean in each of its forms', args: ['--anonymous-auth=F'], values: { 'anonymous-auth': ['false'] } },
    { name: 'underscores', args: ['--secure_port=2'], values: { 'secure-port': ['2'] } },
    { name: 'the level in each of its forms', args: ['-v', '1', '-v=2', '--v=3'], values: { v: ['1', '2', '3'] } },
    { name: 'a default is no wish', args: ['--event-ttl=60m', '--allow-privileged=true', '--profiling'] },
    { name: 'what has no effect is said once', args: ['--goaway-chance', '0.1'], warnings: 1 },
    { name: 'unknown', args: ['--etcd'], error: 'unknown flag: --etcd' },
    { name: 'a name of every object', args: ['--constructor=1'], error: 'unknown flag: --constructor' },
    { name: 'unknown, short', args: ['-x'], error: 'unknown shorthand flag: "x" in -x' },
    { name: 'no value', args: ['--secure-port'], error: 'flag needs an argument: --secure-port' },
    {
      name: 'no boolean',
      args: ['--profiling=maybe'],
      error: 'invalid argument "maybe" for "--profiling" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    },
    { name: 'a word', args: ['serve'], error: 'kube-apiserver does not take any arguments, got "serve"' },
    {
      name: 'a word behind the end of flags',
      args: ['--', 'serve'],
      error: 'kube-apiserver does not take any arguments, got "serve"',
    },
    {
      name: 'refused',
      args: ['--oidc-issuer-url', 'https://x'],
      error: '--oidc-issuer-url is not supported: users are known by certificate, token file and ServiceAccount token',
    },
  ];

t.test('a command line is read as pflag reads it', t => {
  for (const { name, args, values = {}, warnings = 0, error } of CASES) {
    const parse = () => parseFlags(KUBE_APISERVER_FLAGS, args);
    if (error !== undefined) {
      t.throws(parse, { message: error }, name);
      continue;
    }
    const parsed = parse();
    t.same(Object.fromEntries(parsed.values), values, name);
    t.equal(parsed.warnings.length, warnings, name);
  }
  t.end();
});

t.test('kits look into --help for what they may say', t => {
  const has = (table: FlagTable, flag: string): boolean => new RegExp(`^\\s*--${flag}\\b`, 'm').test(helpText(table));
  t.ok(has(ETCD_FLAGS, 'unsafe-no-fsync'));
  t.ok(has(KUBE_APISERVER_FLAGS, 'service-account-issuer'));
  t.notOk(has(KUBE_APISERVER_FLAGS, OLD), 'what is not in 1.35 is taken, and not told of');
  t.end();
});

t.test('feature gates: what is so anyway is taken, what is not is refused by name', t => {
  t.same(checkFeatureGates('WatchList=true, kube:OpenAPIEnums=true,AllAlpha=false'), []);
  t.same(checkFeatureGates('CustomResourceFieldSelectors=true'), [
    '--feature-gates: CustomResourceFieldSelectors has no effect',
  ]);
  t.throws(() => checkFeatureGates('MutatingAdmissionPolicy=true'), {
    message: '--feature-gates: MutatingAdmissionPolicy=true is not supported',
  });
  t.throws(() => checkFeatureGates('WatchList=false'), {
    message: '--feature-gates: WatchList=false is not supported',
  });
  t.throws(() => checkFeatureGates('WatchList'), { message: /missing bool value for WatchList$/ });
  t.throws(() => checkFeatureGates('WatchList=yes'), { message: /parsing "yes": invalid syntax$/ });
  t.end();
});

t.test('runtime config: served versions are served, others are refused by name', t => {
  const served = ['v1', 'apps/v1'];
  t.same(checkRuntimeConfig('apps/v1=true,v1/pods,batch/v2=false,api/ga=true', served), []);
  t.equal(checkRuntimeConfig('api/all=true', served).length, 1);
  t.throws(() => checkRuntimeConfig('batch/v2=true', served), {
    message: '--runtime-config: batch/v2=true is not supported',
  });
  t.throws(() => checkRuntimeConfig('apps/v1=false', served), {
    message: '--runtime-config: apps/v1=false is not supported: what is served of apps is apps/v1, and nothing else',
  });
  const all = servedVersions();
  t.same(checkRuntimeConfig('v1=true,admissionregistration.k8s.io/v1=true', all), [], 'by the names that upstream has');
  t.throws(() => checkRuntimeConfig('admissionregistration.k8s.io/v1beta1=true', all), {
    message:
      '--runtime-config: admissionregistration.k8s.io/v1beta1=true is not supported: what is served of admissionregistration.k8s.io is admissionregistration.k8s.io/v1, and nothing else',
  });
  t.throws(() => checkRuntimeConfig('apps/v1=x', served), { message: '--runtime-config: invalid value apps/v1=x' });
  t.end();
});
