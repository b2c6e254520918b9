import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { printNftScript } from '../../src/dataplane/tools/nft/print-script.js';
import { printSave } from '../../src/dataplane/tools/iptables/print-save.js';
import type { Family } from '../../src/machinery/ip.js';
import { seededRandom } from '../../src/machinery/random.js';
import { chiSquared, chiSquaredLimit } from './clusters/chi-squared.js';
import { compareConnections, distribution } from './clusters/compare.js';
import { countedRules } from './clusters/counters.js';
import { type RandomCluster, randomCluster } from './clusters/generate.js';
import { type Machines, startMachines } from './clusters/namespaces.js';
import { outcomeText, type SimulatedNode, simulate } from './clusters/predict.js';
import { probesOf, probeText } from './clusters/probes.js';

/*
 * Random clusters on a node of this machine's kernel: what we programmed, in the text that we print, real packets, and what
 * became of them here and in our kernel. CLUSTERS=n says how many per mode and IP family, SEED=n tries one; CI and
 * `make kernel` try forty.
 */
const CLUSTERS = Number(process.env['CLUSTERS'] ?? 4);
const SEED = Number(process.env['SEED'] ?? 0);
const SEEDS = SEED > 0 ? [SEED] : Array.from({ length: CLUSTERS }, (_, i) => i + 1);
/** Of so many clusters one is asked whom chance prefers, with so many connections. */
const EVERY = 8;
const CONNECTIONS = 400;
const MODES = ['iptables', 'nftables'] as const;
const FAMILIES = ['IPv4', 'IPv6'] as const;

/** Why the kernel of this machine cannot be asked; undefined when it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  const needed = 'command -v ip nsenter nft iptables-nft-restore ip6tables-nft-restore && nft list ruleset';
  const probe = spawnSync('unshare', ['-n', 'sh', '-ec', needed]);
  return probe.status === 0
    ? undefined
    : `needs unshare, nsenter, ip, nft and iptables-nft (${String(probe.stderr ?? probe.error)})`;
}

const why = obstacle();
const options = why === undefined ? {} : { skip: `THE KERNEL WAS NOT ASKED: ${why}` };

/** A list of clients lives as long as some rule names it, be it one of the next cluster: first there is none. */
const NOTHING = ['filter', 'nat', 'mangle'].map(table => `*${table}\nCOMMIT\n`).join('');

async function load(machines: Machines, { kernel, program }: SimulatedNode): Promise<void> {
  if (program.kind === 'nftables') return void (await machines.run('nft', ['-f', '-'], printNftScript(program)));
  const restore = (text: string): Promise<string> => machines.run(toolOf(kernel.family, 'restore'), [], text);
  await restore(NOTHING);
  await restore(printSave(kernel));
}

const toolOf = (family: Family, what: 'restore' | 'save'): string =>
  `${family === 'IPv4' ? 'iptables' : 'ip6tables'}-nft-${what}`;

t.setTimeout(30_000 + 60_000 * SEEDS.length);
t.test('random clusters', options, async t => {
  const ofFamily = async (machines: Machines, mode: (typeof MODES)[number], family: Family): Promise<void> => {
    let connections = 0;
    for (const seed of SEEDS) {
      const cluster = randomCluster(seed, family);
      const simulated = simulate(cluster, mode);
      await load(machines, simulated);
      const compared = await compareConnections(machines, simulated, probesOf(cluster));
      connections += compared.connections;
      const name = `SEED=${seed}, ${mode}, ${family}`;
      t.equal([...new Set(compared.differences)].join('\n'), '', `${name}: the kernel does what we do`);
      if (mode === 'iptables' && compared.countable) await compareCounters(t, name, machines, simulated);
      if (seed % EVERY === 1) await compareChances(t, name, machines, simulated, cluster);
    }
    t.comment(`${mode}, ${family}: ${SEEDS.length} clusters, ${connections} connections`);
  };
  // Of machines with rules of two modes both would translate.
  const ofMode = async (mode: (typeof MODES)[number]): Promise<void> => {
    const machines = await startMachines();
    t.teardown(() => machines.stop());
    await Promise.all(FAMILIES.map(family => ofFamily(machines, mode, family)));
  };
  await Promise.all(MODES.map(ofMode));
});

async function compareCounters(t: Test, name: string, machines: Machines, { kernel }: SimulatedNode): Promise<void> {
  const saved = await machines.run(toolOf(kernel.family, 'save'), ['-c']);
  const ours = countedRules(printSave(kernel, { counters: true }));
  t.same(countedRules(saved), ours, `${name}: ${ours.length} rules have counted what ours have`);
}

/** Nobody is preferred: by the kernel, and by ours with its own sequence of chance. */
async function compareChances(
  t: Test,
  name: string,
  machines: Machines,
  simulated: SimulatedNode,
  cluster: RandomCluster,
): Promise<void> {
  const random = seededRandom(cluster.seed);
  for (const probe of probesOf(cluster)) {
    const times = await distribution(machines, simulated, probe, CONNECTIONS);
    if (times === undefined) continue;
    const ours = new Map([...times.keys()].map(text => [text, 0]));
    for (let i = 0; i < CONNECTIONS; i++) {
      const text = outcomeText(simulated.tryWith(probe, () => random.number()));
      ours.set(text, (ours.get(text) ?? 0) + 1);
    }
    for (const [who, counts] of Object.entries({ 'the kernel': times, ours }))
      t.ok(
        chiSquared([...counts.values()]) < chiSquaredLimit(counts.size),
        `${name}, ${probeText(probe)}, ${who}: ${[...counts.values()].join(', ')}`,
      );
    return;
  }
}
