import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { hostRulesFrom } from '../../src/cmd/host-rules-flags.js';
import { printNftList } from '../../src/dataplane/tools/nft/print-list.js';
import { printSave } from '../../src/dataplane/tools/iptables/print-save.js';
import type { HostRules } from '../../src/nodeagent/proxy/host-rules/host-rules.js';
import { nftTextDifferences } from '../replay/proxy/nft-text.js';
import { createNode } from '../replay/proxy/node.js';
import { saveTextDifferences } from '../replay/proxy/save-text.js';
import type { Program } from '../../src/dataplane/kernel/program.js';
import type { Case, Step } from '../replay/proxy/types.js';
import { ownRecordings, parseRecording } from '../replay/recordings.js';
import { shareOf } from '../support/share.js';

/*
 * What `node-agent --apply kernel` leaves in a network namespace, sync by sync, full and partial ones: what ours lists.
 */
const NETNS = `kubette-test-${process.pid}`;
const FAMILIES = ['IPv4', 'IPv6'] as const;

/** Why the kernel of this machine cannot be asked; undefined when it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace';
  const needed = 'command -v ip nft iptables-restore ip6tables-restore && unshare -n nft list ruleset';
  const probe = spawnSync('sh', ['-ec', needed]);
  if (probe.status !== 0) return `needs unshare, ip, nft and iptables (${String(probe.stderr ?? probe.error)})`;
  const made = spawnSync('ip', ['netns', 'add', NETNS]);
  return made.status === 0 ? undefined : `ip netns: ${String(made.stderr)}`;
}

const why = obstacle();
const options = why === undefined ? {} : { skip: `THE KERNEL WAS NOT ASKED: ${why}` };
t.teardown(() => (why === undefined ? void spawnSync('ip', ['netns', 'del', NETNS]) : undefined));

const inNamespace = (...command: string[]): string =>
  String(spawnSync('ip', ['netns', 'exec', NETNS, ...command], { maxBuffer: 2 ** 26 }).stdout);

async function hostRules(t: Test, mode: string, family: (typeof FAMILIES)[number]): Promise<HostRules> {
  const nodeIPs = [family === 'IPv4' ? '192.168.50.11' : 'fd00:50::11'];
  const rules = (await hostRulesFrom({ apply: 'kernel', netns: NETNS, mode, nodeIPs }))?.(family);
  if (rules === undefined) return t.bailout('there are no rules for the family') as never;
  return rules;
}

t.setTimeout(280_000);
for (const mode of ['iptables', 'nftables'] as const)
  t.test(`the rules of ${mode} mode in a real kernel, sync by sync`, options, async t => {
    for (const text of shareOf(ownRecordings('proxy').values())) {
      const { head, steps } = parseRecording<Case, Step>(text);
      // A full load of iptables is some forty commands; what is loaded first, kernel.test.ts compares.
      if (mode === 'iptables' && steps.length === 1) continue;
      for (const family of FAMILIES) {
        const node = createNode(head, mode, family);
        const rules = await hostRules(t, mode, family);
        inNamespace('nft', 'flush', 'ruleset');
        for (const step of steps) {
          const programs: Program[] = [];
          node.change(step, program => programs.push(program));
          for (const program of programs) await rules.load(program);
          const save = family === 'IPv4' ? 'iptables-save' : 'ip6tables-save';
          const differences =
            mode === 'nftables'
              ? nftTextDifferences(inNamespace('nft', '-s', 'list', 'ruleset'), printNftList(node.kernel))
              : saveTextDifferences(inNamespace(save), printSave(node.kernel));
          t.same(differences, [], `${head.name}, ${family}: ${step.about}`);
        }
      }
    }
  });

t.test('what a proxy before has left goes, and what is refused changes nothing', options, async t => {
  for (const text of [...ownRecordings('proxy').values()].slice(0, 1)) {
    const { head, steps } = parseRecording<Case, Step>(text);
    const node = createNode(head, 'iptables', 'IPv4');
    inNamespace('nft', 'flush', 'ruleset');
    inNamespace('iptables', '-t', 'nat', '-N', 'KUBE-SVC-AAAAAAAAAAAAAAAA');
    const rules = await hostRules(t, 'iptables', 'IPv4');
    t.same(
      rules.loadedChains.filter(name => name.startsWith('KUBE-')),
      ['KUBE-SVC-AAAAAAAAAAAAAAAA'],
    );
    const programs: Program[] = [];
    node.change(steps[0] ?? { about: '', rules: {} as Step['rules'] }, program => programs.push(program));
    for (const program of programs) await rules.load(program);
    const before = inNamespace('iptables-save', '-t', 'nat');
    const [program] = programs;
    if (program?.kind !== 'xtables') throw new Error('the program is none of xtables');
    const broken = {
      ...program,
      full: false,
      jumps: [],
      ensureChains: [],
      tables: [{ table: 'nat', chains: [], commands: [{ kind: 'deleteChain', chain: 'KUBE-NONE' }] }],
    } as const;
    await t.rejects(rules.load(broken), /iptables-restore/);
    const rulesOf = (saved: string): string[] => saved.split('\n').filter(line => /^[:-]/.test(line));
    t.same(rulesOf(inNamespace('iptables-save', '-t', 'nat')), rulesOf(before));
  }
});
