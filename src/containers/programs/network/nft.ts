import type { Kernel } from '../../../dataplane/kernel/types.js';
import type { NftTable } from '../../../dataplane/kernel/nftables/table.js';
import { nftObjectText, nftTableParts } from '../../../dataplane/tools/nft/print-list.js';
import type { Process, Program } from '../../process.js';
import { printLines, rulesProgram } from './node-rules.js';
import { NotSimulated } from './stack-of.js';

const FAMILIES = { ip: 'IPv4', ip6: 'IPv6' } as const;
type NftFamily = keyof typeof FAMILIES;
const NAMES = ['ip', 'ip6'] as const;

interface Found {
  readonly name: NftFamily;
  readonly kernel: Kernel;
  readonly table: NftTable;
}

/**
 * nft [-s] list ruleset|tables|table|chain|set|map: what kube-proxy's nftables mode has loaded. Rules are printed without
 * counters, as its own have none.
 */
export const nft: Program = rulesProgram(
  () =>
    'Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted',
  1,
  async (process, kernels) => {
    const options = process.args.slice(1).filter(arg => arg.startsWith('-'));
    const words = process.args.slice(1).filter(arg => !arg.startsWith('-'));
    const unknown = options.find(option => !/^-(s|n|nn|y|p|-stateless|-numeric)$/.test(option));
    if (unknown !== undefined) throw new NotSimulated(`nft ${unknown.slice(0, 64)}`);
    // A shell script quotes the whole command, as nft wants it.
    const [command, object, ...rest] = words.flatMap(word => word.split(/\s+/)).filter(word => word !== '');
    if (command !== 'list')
      throw new NotSimulated(`nft ${(command ?? '').slice(0, 64)}: rules that are changed by hand`);
    const [first, ...others] = rest;
    const family = NAMES.find(name => name === first);
    const names = family === undefined ? rest : others;
    const all = NAMES.flatMap((name): Found[] => {
      const kernel = family === undefined || family === name ? kernels(FAMILIES[name]) : undefined;
      return kernel === undefined ? [] : kernel.nftables.tables().map(table => ({ name, kernel, table }));
    });
    switch (object) {
      case 'ruleset':
        await noteOthers(
          process,
          NAMES.flatMap(name => kernels(FAMILIES[name]) ?? []),
        );
        await printLines(process, rulesetLines(all));
        return 0;
      case 'tables':
        await printLines(
          process,
          all.map(({ name, table }) => `table ${name} ${table.name}\n`),
        );
        return 0;
      case 'table':
      case 'chain':
      case 'set':
      case 'map': {
        const [tableName, member] = names;
        // Without a family it is IPv4 that is meant.
        const found = all.find(({ name, table }) => name === (family ?? 'ip') && table.name === tableName);
        const text = `list ${object} ${rest.join(' ')}`;
        if (found === undefined) return missing(process, text, tableName);
        if (object === 'table') {
          await printLines(process, nftTableParts(found.kernel, found.table));
          return 0;
        }
        const one = object === 'chain' ? found.table.chains.get(member ?? '') : found.table.sets.get(member ?? '');
        if (one === undefined) return missing(process, text, member);
        await process.stdout.write(nftObjectText(found.kernel, found.table, one));
        return 0;
      }
      default:
        throw new NotSimulated(`nft list ${(object ?? '').slice(0, 64)}`);
    }
  },
);

function* rulesetLines(all: readonly Found[]): Generator<string> {
  for (const [at, { kernel, table }] of all.entries()) {
    if (at > 0) yield '\n';
    yield* nftTableParts(kernel, table);
  }
}

/** nft would list the tables of iptables-nft, too, which has a form of its own for each of its matches. */
async function noteOthers(process: Process, kernels: readonly Kernel[]): Promise<void> {
  const touched = kernels.flatMap(({ family, xtables }) =>
    xtables.tables().flatMap(({ table, touched }) => (touched ? [`${family === 'IPv4' ? 'ip' : 'ip6'} ${table}`] : [])),
  );
  for (const table of touched)
    await process.stderr.write(`# Warning: table ${table} is managed by iptables-nft: iptables-save lists it\n`);
}

async function missing(process: Process, text: string, name = ''): Promise<number> {
  const shown = text.slice(0, 200);
  const at = Math.max(0, shown.lastIndexOf(name));
  await process.stderr.write(
    `Error: No such file or directory\n${shown}\n${' '.repeat(at)}${'^'.repeat(Math.max(1, Math.min(name.length, 100)))}\n`,
  );
  return 1;
}
