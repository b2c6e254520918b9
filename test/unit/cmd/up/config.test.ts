import { Command } from 'commander';
import t from 'tap';
import { configOf } from '../../../../src/cmd/up/config.js';
import { Problems } from '../../../../src/cmd/process.js';
import { settingsOf } from '../../../../src/cmd/up/settings.js';
import { register } from '../../../../src/cmd/up.js';

function up(): Command {
  const program = new Command();
  register(program);
  const [command] = program.commands;
  if (command === undefined) throw new Error('there is no command');
  // What it is told is all that is looked at here.
  return command.action(() => undefined);
}

const read = (text: string) => configOf(text, '/etc/kubette/dev.yaml', up());

t.test('nodes, objects and flags, with paths from the file on', async t => {
  const config = await read(`
nodes:
- name: big
  zone: a
  capacity: {cpu: 8, example.com/gpu: "2"}
  taints: [{key: dedicated, value: db, effect: NoSchedule}]
- count: 2
  proxyMode: nftables
objects:
- samples
- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}
flags:
  name: dev
  secure-port: 7443
  proxy-mode: [iptables, ipvs]
  token-auth-file: tokens.csv
  data-dir: /var/kubette
  publish: true
  metrics: false
`);
  t.same(config.nodes, [
    {
      name: 'big',
      zone: 'a',
      capacity: { cpu: '8', 'example.com/gpu': '2' },
      taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
    },
    { proxyMode: 'nftables' },
    { proxyMode: 'nftables' },
  ]);
  t.same(config.objects, ['/etc/kubette/samples', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } }]);
  t.same(config.flags, {
    name: 'dev',
    securePort: '7443',
    proxyMode: 'iptables,ipvs',
    tokenAuthFile: '/etc/kubette/tokens.csv',
    dataDir: '/var/kubette',
    publish: true,
    metrics: false,
  });
  t.same(await read('{"flags": {"nodes": 1}}'), { flags: { nodes: '1' }, rules: [] }, 'JSON is YAML');
  t.same(await read(''), { flags: {}, rules: [] }, 'nothing is said');
});

t.test('what containers do: images and rules, in the file or in one of their own', async t => {
  t.same(
    await read(`
images:
  ghcr.io/acme/*: {pullError: not-found}
behaviour:
- {match: {namespace: shop}, behaviour: {startDelay: 5s}}
`),
    {
      flags: {},
      rules: [
        { match: { namespace: 'shop' }, behaviour: { startDelay: '5s' } },
        { match: { image: 'ghcr.io/acme/*' }, behaviour: { pullError: 'not-found' } },
      ],
    },
  );
  t.same(await read('behaviour: told.yaml'), { flags: { behaviour: '/etc/kubette/told.yaml' }, rules: [] });
});

const WRONG: readonly { readonly text: string; readonly says: readonly RegExp[] }[] = [
  { text: 'nodse: []', says: [/^nodse: unknown field \(Did you mean nodes\?\); there is \$schema, nodes, /] },
  { text: 'nodes: 3', says: [/^nodes: want array, not 3$/] },
  {
    text: 'nodes: [{zoone: a}, {taints: [{key: a, effect: Never}]}]',
    says: [
      /^nodes\[0\]\.zoone: unknown field \(Did you mean zone\?\)/,
      /^nodes\[1\]\.taints\[0\]\.effect: want NoSchedule, PreferNoSchedule, NoExecute, not "Never"$/,
    ],
  },
  { text: 'nodes: [{taints: [{effect: NoExecute}]}]', says: [/^nodes\[0\]\.taints\[0\]: key is missing$/] },
  { text: 'nodes: [{labels: {a/b: 1}}]', says: [/^nodes\[0\]\.labels\["a\/b"\]: want string, not 1$/] },
  { text: 'nodes: [{labels: {a b: c}}]', says: [/^nodes\[0\]\.labels: "a b": name part must consist of/] },
  { text: 'nodes: [{zone: "a b"}]', says: [/^nodes\[0\]\.zone: "a b": a valid label must be/] },
  { text: 'nodes: [{name: A}]', says: [/^nodes\[0\]\.name: "A": a lowercase RFC 1123 subdomain/] },
  { text: 'nodes: [{name: a, count: 2}]', says: [/^nodes\[0\]\.name: 2 nodes cannot have it$/] },
  { text: 'nodes: [{count: 3000}, {count: 3000}]', says: [/^nodes: want at most 5000$/] },
  {
    text: 'nodes: [{capacity: {memry: 1Gi, cpu: x, pods: 2000, example.com/gpu: 0.5}}]',
    says: [
      /^nodes\[0\]\.capacity: "memry": no resource of a node \(Did you mean memory\?\); there is cpu, memory/,
      /^nodes\[0\]\.capacity\["cpu"\]: "x": quantities must match/,
      /^nodes\[0\]\.capacity\["pods"\]: "2000": want a whole number from 1 to 1000$/,
      /^nodes\[0\]\.capacity\["example\.com\/gpu"\]: "0\.5": must be a whole number$/,
    ],
  },
  {
    text: 'flags: {proxy-mod: ipvs, metrics: 1, config: x, detach: true}',
    says: [
      /^flags\.proxy-mod: unknown field \(Did you mean proxy-mode\?\)/,
      /^flags\.config: unknown field/,
      /^flags\.detach: unknown field/,
      /^flags\.metrics: want boolean, not 1$/,
    ],
  },
  {
    text: 'objects: [1, {kind: Pod}]',
    says: [/^objects\[0\]: want string or object, not 1$/, /apiVersion is missing/],
  },
  {
    text: 'images: {nginx: {pullErorr: denied}, redis: {pullError: never}}',
    says: [
      /^images\.nginx\.pullErorr: unknown field \(Did you mean pullError\?\)/,
      /^images\.redis\.pullError: want not-found, denied, /,
    ],
  },
  { text: 'a: [', says: [/^line \d+: no YAML: /] },
  { text: 'a: 1\na: 2', says: [/^line 2: no YAML: Map keys must be unique/] },
  { text: 'no object', says: [/^want object, not "no object"$/] },
];

t.test('what is wrong is told with its path and what is allowed, all of it at once', async t => {
  for (const { text, says } of WRONG) {
    const error = await read(text).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Problems)) {
      t.fail(`${text}: ${String(error)}`);
      continue;
    }
    const lines = error.lines.map(line => line.replace('/etc/kubette/dev.yaml: ', ''));
    t.equal(lines.length, says.length, lines.join('\n'));
    for (const [i, pattern] of says.entries()) t.match(lines[i], pattern, text);
  }
});

t.test('flags win over the file', async t => {
  const dir = t.testdir({ 'dev.yaml': 'flags: {storage: memory, v: info, publish: true}\nobjects: [a.yaml]' });
  const command = up();
  const told = (...args: string[]) =>
    command.parseAsync([`--config=${dir}/dev.yaml`, ...args], { from: 'user' }).then(() => settingsOf(command));
  const fromFile = await told('--v', 'debug');
  t.match(fromFile.flags, { storage: 'memory', v: 'debug', publish: true, securePort: '6443' });
  t.same(fromFile.objects, [`${dir}/a.yaml`]);
  t.same((await told('--objects', '/b', '--objects', '/c')).objects, ['/b', '/c']);
});
