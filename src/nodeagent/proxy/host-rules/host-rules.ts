import type { NftablesProgram, Program, XtablesProgram } from '../../../dataplane/kernel/program.js';
import { printRestore } from '../../../dataplane/tools/iptables/print-restore.js';
import { tokenize } from '../../../dataplane/tools/iptables/parse.js';
import { restoreText } from '../../../dataplane/tools/iptables/rule-text.js';
import { printNftScript } from '../../../dataplane/tools/nft/print-script.js';
import type { Family } from '../../../machinery/ip.js';
import type { RunCommand } from './run-command.js';

/** The Linux kernel of this machine, which gets the rules as well. One for each IP family. */
export interface HostRules {
  /** Whether the tools are there and may be used. @throws Error that says what is missing */
  check(): Promise<void>;
  /** Resolves when the program is loaded. @throws Error when it is not: what was there before stays */
  load(program: Program): Promise<void>;
  /** Chains that were there before the last full load, maybe of a proxy before this one. */
  readonly loadedChains: readonly string[];
}

export interface HostRulesOptions {
  readonly family: Family;
  readonly mode: HostMode;
  readonly run: RunCommand;
  /** The network namespace, by the name that `ip netns` knows; undefined: that of this process. */
  readonly netns?: string;
}

/** The modes whose rules the tools of a distribution can load. */
export const HOST_MODES = ['iptables', 'nftables'] as const;
export type HostMode = (typeof HOST_MODES)[number];
export const isHostMode = (mode: string): mode is HostMode => (HOST_MODES as readonly string[]).includes(mode);

/** As kube-proxy waits for the lock of xtables: five seconds, looking ten times a second. */
const WAIT = ['-w', '5', '-W', '100000'];
const LISTED_TABLES = ['nat', 'filter'] as const;

const TOOLS = {
  IPv4: { rules: 'iptables', restore: 'iptables-restore', save: 'iptables-save' },
  IPv6: { rules: 'ip6tables', restore: 'ip6tables-restore', save: 'ip6tables-save' },
} as const;

export function createHostRules({ family, mode, run, netns }: HostRulesOptions): HostRules {
  const tools = TOOLS[family];
  const inNamespace = netns === undefined ? [] : ['ip', 'netns', 'exec', netns];
  let loadedChains: readonly string[] = [];

  const attempt = (command: readonly string[], input?: string): ReturnType<RunCommand> =>
    run([...inNamespace, ...command], input).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      const [program = ''] = [...inNamespace, ...command];
      throw new Error(code === 'ENOENT' ? `${program} is not installed` : message, { cause: error });
    });
  async function must(command: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await attempt(command, input);
    if (code === 0) return stdout;
    throw new Error(`${command.join(' ')}: ${stderr.trim() || (code === null ? 'killed' : `exit code ${code}`)}`);
  }

  async function listChains(): Promise<readonly string[]> {
    if (mode === 'nftables') return [];
    const names: string[] = [];
    for (const table of LISTED_TABLES)
      for (const line of (await must([tools.save, '-t', table])).split('\n'))
        if (line.startsWith(':')) names.push(line.slice(1, line.indexOf(' ')));
    return names;
  }

  /** Makes the chains and jumps that are not there, one by one, as kube-proxy does. */
  async function ensureJumps({ ensureChains, jumps }: XtablesProgram): Promise<void> {
    const command = (...args: string[]): string[] => [tools.rules, ...WAIT, ...args];
    // What there is already is refused. If something else is wrong, the next command says so.
    const targets = jumps.flatMap(({ table, rule: { verdict } }) =>
      verdict.kind === 'jump' ? [`${verdict.chain} -t ${table}`] : [],
    );
    const chains = new Set([...ensureChains.map(({ table, chain }) => `${chain} -t ${table}`), ...targets]);
    for (const chain of chains) await attempt(command('-N', ...chain.split(' ')));
    for (const { table, rule } of jumps) {
      const [, , ...matches] = tokenize(restoreText(rule));
      const found = await attempt(command('-C', rule.chain, '-t', table, ...matches));
      if (found.code !== 0) await must(command('-I', rule.chain, '-t', table, ...matches));
    }
  }

  async function loadXtables(program: XtablesProgram): Promise<void> {
    await ensureJumps(program);
    await must([tools.restore, ...WAIT, '--noflush', '--counters'], printRestore(program));
  }
  const loadNftables = (program: NftablesProgram): Promise<unknown> =>
    must(['nft', '-f', '-'], printNftScript(program));

  return {
    async check() {
      if (mode === 'nftables') await must(['nft', 'list', 'tables']);
      else {
        await must([tools.restore, '--version']);
        loadedChains = await listChains();
      }
    },
    async load(program) {
      try {
        if (program.kind === 'xtables') await loadXtables(program);
        else if (program.kind === 'nftables') await loadNftables(program);
        else throw new Error(`rules of ${program.kind} cannot be loaded into this kernel`);
      } catch (error) {
        // The full load that follows deletes what this one has left.
        loadedChains = await listChains().catch(() => loadedChains);
        throw error;
      }
      if (program.kind === 'xtables' && program.full) loadedChains = [];
    },
    get loadedChains() {
      return loadedChains;
    },
  };
}
