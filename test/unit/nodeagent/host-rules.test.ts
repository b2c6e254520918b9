import t from 'tap';
import { ENDPOINT_SLICES, SERVICE_CIDRS, SERVICES } from '../../../src/client/resources.js';
import { hostRulesFrom } from '../../../src/cmd/host-rules-flags.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { Program } from '../../../src/dataplane/kernel/program.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import type { ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { SILENT } from '../../../src/machinery/logger.js';
import type { EndpointSlice, Service, ServiceCIDR } from '../../../src/machinery/types.js';
import { createHostRules, type HostMode } from '../../../src/nodeagent/proxy/host-rules/host-rules.js';
import {
  type CommandResult,
  createRunCommand,
  type RunCommand,
} from '../../../src/nodeagent/proxy/host-rules/run-command.js';
import { createSyncFeed } from '../../../src/nodeagent/proxy/sync-feed.js';
import { runProxyLoop } from '../../../src/nodeagent/proxy/proxy-loop.js';
import { createProxyMetrics } from '../../../src/nodeagent/proxy/proxy-metrics.js';
import { prometheusText } from '../../../src/nodeagent/node/prometheus-text.js';
import { exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { hostRoutes } from '../../support/host-routes.js';
import { eventually } from '../../support/simulated-node.js';

interface Ran {
  readonly command: string;
  readonly args: readonly string[];
  readonly input: string | undefined;
}

const GOOD: CommandResult = { code: 0, stdout: '', stderr: '' };

/** Notes what it is told to run; `answer` says how a command ends. */
function fakeRunner(answer: (command: string) => Partial<CommandResult> | Error = () => ({})) {
  const ran: Ran[] = [];
  const run: RunCommand = (args, input) => {
    const command = args.join(' ');
    ran.push({ command, args, input });
    const result = answer(command);
    return result instanceof Error ? Promise.reject(result) : Promise.resolve({ ...GOOD, ...result });
  };
  return { run, ran };
}

const web = (port: number): Service =>
  service('shop/web', { clusterIP: '10.200.4.10', ports: [{ name: '', protocol: 'TCP', port }] });
const endpoints = slice('shop/web', { port: 8080 }, [{ ip: '10.66.1.10', node: 'worker-a' }]);

/** A full program, and the partial one of a change. */
function programs(mode: ProxyMode): [full: Program, partial: Program] {
  const proxy = createProxier({ ...exampleConfig({ config: {} }), mode, clock: new FakeClock() });
  proxy.onServiceUpdate(web(80));
  proxy.onSliceUpdate(endpoints);
  const full = proxy.sync().program;
  proxy.onServiceUpdate(web(81));
  const partial = proxy.sync().program;
  if (full === undefined || partial === undefined) throw new Error('there is nothing to load');
  return [full, partial];
}

const RESTORE = 'iptables-restore -w 5 -W 100000 --noflush --counters';

t.test('a program is one command that takes it from its input', async t => {
  for (const { mode, netns, command, input } of [
    {
      mode: 'iptables',
      netns: undefined,
      command: RESTORE,
      input: /^\*filter\n.*\nCOMMIT\n\*nat\n.*--dport 81 .*COMMIT\n$/s,
    },
    { mode: 'iptables', netns: 'blue', command: `ip netns exec blue ${RESTORE}`, input: /^\*filter\n/ },
    { mode: 'nftables', netns: undefined, command: 'nft -f -', input: /^add .*10\.200\.4\.10 \. tcp \. 81/s },
    { mode: 'nftables', netns: 'blue', command: 'ip netns exec blue nft -f -', input: /^add / },
  ] as const) {
    const { run, ran } = fakeRunner();
    const rules = createHostRules({ family: 'IPv4', mode, run, ...(netns === undefined ? {} : { netns }) });
    const [, partial] = programs(mode);
    await rules.load(partial);
    t.same(
      ran.map(one => one.command),
      [command],
      `${mode} in ${netns ?? 'our own'} namespace`,
    );
    t.match(ran[0]?.input, input);
  }
});

t.test('before a full program of iptables its jumps are looked for, and inserted where they are missing', async t => {
  const isThere = (command: string): boolean => command.includes('-C OUTPUT -t nat');
  const { run, ran } = fakeRunner(command => ({ code: command.includes(' -C ') && !isThere(command) ? 1 : 0 }));
  const [full] = programs('iptables');
  await createHostRules({ family: 'IPv6', mode: 'iptables', run }).load(full);
  const jumps = full.kind === 'xtables' ? full.jumps.length : 0;
  const count = (part: string): number => ran.filter(({ command }) => command.includes(part)).length;
  t.equal(count(' -C '), jumps);
  t.equal(count(' -I '), jumps - 1);
  t.equal(count(' -I OUTPUT -t nat '), 0);
  t.ok(
    ran.some(({ args }) => args.includes('kubernetes service portals')),
    'a comment is one argument',
  );
  t.equal(ran.at(-1)?.args[0], 'ip6tables-restore', 'they are there when the rules are loaded');
});

t.test('what is missing is told at the start', async t => {
  const missing = Object.assign(new Error('spawn nft ENOENT'), { code: 'ENOENT' });
  const flags = { apply: 'kernel', netns: '', mode: 'nftables', nodeIPs: ['192.168.50.11'] };
  for (const { name, given, answer, expect } of [
    { name: 'nothing', given: {}, answer: {}, expect: undefined },
    { name: 'a mode', given: { mode: 'ipvs' }, answer: {}, expect: /does not load rules of ipvs mode/ },
    { name: 'userspace', given: { mode: 'userspace' }, answer: {}, expect: /does not load rules of userspace mode/ },
    { name: 'a kernel', given: { apply: 'hurd' }, answer: {}, expect: /"hurd" for "--apply"/ },
    { name: 'the flag', given: { apply: '', netns: 'blue' }, answer: {}, expect: /--netns needs --apply kernel/ },
    { name: 'a name', given: { netns: '../blue' }, answer: {}, expect: /want a name of ip netns/ },
    { name: 'no option', given: { netns: '-all' }, answer: {}, expect: /want a name of ip netns/ },
    { name: 'a tool', given: {}, answer: missing, expect: /nft is not installed/ },
    {
      name: 'rights',
      given: {},
      answer: { code: 1, stderr: 'Operation not permitted (you must be root)\n' },
      expect: /--apply kernel: nft list tables: Operation not permitted/,
    },
    {
      name: 'a namespace',
      given: { netns: 'blue' },
      answer: { code: 1, stderr: 'Cannot open network namespace "blue": No such file or directory\n' },
      expect: /Cannot open network namespace "blue"/,
    },
  ] as const) {
    const { run } = fakeRunner(() => answer);
    const made = hostRulesFrom({ ...flags, ...given }, run);
    if (expect === undefined) t.ok((await made)?.('IPv4'), name);
    else await t.rejects(made, { name: 'FlagError', message: expect }, name);
  }
  t.equal(await hostRulesFrom({ ...flags, apply: '' }, fakeRunner().run), undefined, 'without the flag there is none');
});

t.test('chains that a proxy before this one has left are known, until a full program has deleted them', async t => {
  const { run } = fakeRunner(command => ({
    stdout: command === 'iptables-save -t nat' ? '*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SVC-OLD - [0:0]\nCOMMIT\n' : '',
  }));
  const rules = createHostRules({ family: 'IPv4', mode: 'iptables', run });
  await rules.check();
  t.same(rules.loadedChains, ['PREROUTING', 'KUBE-SVC-OLD']);
  await rules.load(programs('iptables')[0]);
  t.same(rules.loadedChains, []);
});

t.test('a program of another mode, and one that the tool refuses, are errors', async t => {
  const { run } = fakeRunner(() => ({ code: 2, stderr: 'line 3 failed: No such file or directory\n' }));
  for (const [mode, program, expect] of [
    ['nftables', programs('ipvs')[0], /rules of ipvs cannot be loaded/],
    ['nftables', programs('nftables')[0], /nft -f -: line 3 failed/],
    ['iptables', programs('iptables')[1], /iptables-restore .*: line 3 failed/],
  ] as const)
    await t.rejects(createHostRules({ family: 'IPv4', mode: mode satisfies HostMode, run }).load(program), expect);
});

t.test('a command gets its input, says how it ended, and no shell sees its arguments', async t => {
  const runCommand = createRunCommand(realClock);
  t.match(await runCommand(['cat'], 'rules'), { code: 0, stdout: 'rules' });
  t.match(await runCommand(['echo', '$(id)', '; ls']), { code: 0, stdout: '$(id) ; ls\n' });
  t.match(await runCommand(['sh', '-c', 'echo bad >&2; exit 3'], 'x'.repeat(1_000_000)), { code: 3, stderr: 'bad\n' });
  await t.rejects(runCommand(['no-such-program-here']), { code: 'ENOENT' });
});

/** A proxy's loop whose real kernel answers when the test says so. */
async function startLoop(t: { teardown(after: () => void): unknown }) {
  const cluster = createFakeCluster();
  const { informers } = cluster.context();
  const clock = new FakeClock();
  const config = { ...exampleConfig({ config: {} }), mode: 'iptables' as const, clock };
  const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes(...config.nodeAddresses) });
  const proxy = createProxier(config);
  const metrics = createProxyMetrics(clock);
  const loads: { program: Program; done: (error?: Error) => void }[] = [];
  const failures: unknown[] = [];
  const stopping = new AbortController();
  t.teardown(() => stopping.abort());
  let synced = 0;
  const loop = runProxyLoop(
    {
      proxy,
      kernel,
      host: {
        load: program =>
          new Promise((resolve, reject) =>
            loads.push({ program, done: error => (error === undefined ? resolve() : reject(error)) }),
          ),
      },
      services: informers.informer<Service>(SERVICES),
      slices: informers.informer<EndpointSlice>(ENDPOINT_SLICES),
      serviceCidrs: informers.informer<ServiceCIDR>(SERVICE_CIDRS),
      metrics: metrics.family(kernel, proxy),
      syncs: createSyncFeed(clock).family(kernel.family),
      clock,
      minSyncPeriodMs: 0,
      syncPeriodMs: 30_000,
      log: SILENT,
      onSynced: () => synced++,
      onFailed: error => failures.push(error),
    },
    stopping.signal,
  );
  const loaded = (n: number) => eventually(`${n} loads`, () => loads.length >= n && loads[n - 1]);
  await loaded(1);
  return { cluster, clock, proxy, metrics, loads, failures, loop, loaded, synced: () => synced };
}

const isFull = ({ program }: { program: Program }): boolean => program.full;

t.test('loads keep their order: what changes during one waits, and is the next', async t => {
  const { cluster, loads, loop, loaded, synced } = await startLoop(t);
  t.equal(loop.lastSync, undefined, 'not synced before the kernel has the rules');
  const { client } = cluster.context();
  await client.resource<Service>(SERVICES).create('shop', web(80));
  await client.resource<EndpointSlice>(ENDPOINT_SLICES).create('shop', endpoints);
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
  t.equal(loads.length, 1, 'one at a time');
  t.equal(synced(), 0);
  loads[0]?.done();
  const second = await loaded(2);
  t.equal(synced(), 1);
  t.not(loop.lastSync, undefined);
  t.not(loop.pendingSince, undefined, 'the changes are not loaded yet');
  t.notOk(isFull(second), 'both changes in one partial program');
  second.done();
  await eventually('nothing is pending', () => loop.pendingSince === undefined);
  t.equal(loads.length, 2);
});

t.test('a proxy whose load took long rests four times as long, up to 50 ms', async t => {
  const { cluster, clock, loads, loaded, loop } = await startLoop(t);
  const { client } = cluster.context();

  for (const [i, { took, rests }] of [
    { took: 10, rests: 40 },
    { took: 100, rests: 50 },
  ].entries()) {
    const load = await loaded(i + 1);
    clock.step(took);
    load.done();
    await eventually('it is loaded', () => loop.pendingSince === undefined && loop.lastSync === clock.now());
    if (i === 0) await client.resource<Service>(SERVICES).create('shop', web(80));
    else await client.resource<Service>(SERVICES).delete({ namespace: 'shop', name: 'web' });
    await eventually('the change is known', () => loop.pendingSince !== undefined);
    clock.step(rests - 1);
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
    t.equal(loads.length, i + 1, `after ${took} ms it rests`);
    clock.step(1);
    await loaded(i + 2);
  }
});

t.test('a load that fails is counted and told, and is tried again in full', async t => {
  const { clock, metrics, loads, failures, loop, loaded } = await startLoop(t);
  loads[0]?.done(new Error('no room'));
  await eventually('the failure is told', () => failures.length > 0);
  t.match(failures, [{ message: 'no room' }]);
  t.equal(loop.lastSync, undefined);
  clock.step(29_999);
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
  t.equal(loads.length, 1);
  clock.step(1);
  const again = await loaded(2);
  t.ok(isFull(again));
  again.done();
  await eventually('synced', () => loop.lastSync !== undefined);
  t.match(
    prometheusText(metrics.families()),
    /kubeproxy_sync_proxy_rules_iptables_restore_failures_total\{ip_family="IPv4"\} 1/,
  );
});
