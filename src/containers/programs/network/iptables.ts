import { createEmptyKernel } from '../../../dataplane/kernel/empty-kernel.js';
import type { Kernel } from '../../../dataplane/kernel/types.js';
import { BUILTIN_CHAINS } from '../../../dataplane/kernel/xtables/builtin-chains.js';
import type { TableName } from '../../../dataplane/kernel/xtables/rule.js';
import { listLines } from '../../../dataplane/tools/iptables/print-list.js';
import { saveLines } from '../../../dataplane/tools/iptables/print-save.js';
import { specLines } from '../../../dataplane/tools/iptables/print-spec.js';
import type { Process, Program } from '../../process.js';
import { parseOptions } from '../options.js';
import { type Kernels, printLines, rulesProgram } from './node-rules.js';
import { portText } from './ports.js';
import { NotSimulated } from './stack-of.js';

const VERSION = 'v1.8.9 (nf_tables)';
const TABLES: readonly string[] = ['raw', 'mangle', 'nat', 'filter'];

const reading = (run: (process: Process, kernel: Kernel) => Promise<number>): Program =>
  rulesProgram(
    name => `${name} ${VERSION}: Could not fetch rule set generation id: Permission denied (you must be root)`,
    4,
    (process, kernels) => run(process, kernelOf(process, kernels)),
  );

const kernelOf = ({ args, container: { clock } }: Process, kernels: Kernels): Kernel => {
  const family = args[0]?.startsWith('ip6') === true ? 'IPv6' : 'IPv4';
  return kernels(family) ?? createEmptyKernel(family, clock);
};

/** iptables -L|-S [CHAIN] [-t TABLE] [-n] [-v] [-x] [--line-numbers]: rules are read here, kube-proxy alone writes them. */
export const iptables: Program = reading(async (process, kernel) => {
  const name = process.args[0] ?? 'iptables';
  const { has, get, operands } = parseOptions(process.args.slice(1), {
    short: 'LSnvxt:w46ADIRFXNPZEC',
    long: {
      list: 'L',
      'list-rules': 'S',
      numeric: 'n',
      verbose: 'v',
      exact: 'x',
      table: 't:',
      'line-numbers': 'line-numbers',
      wait: 'w',
      append: 'A',
      delete: 'D',
      insert: 'I',
      flush: 'F',
      'new-chain': 'N',
      'delete-chain': 'X',
      policy: 'P',
      zero: 'Z',
      check: 'C',
      version: 'version',
    },
    stopAtOperand: false,
  });
  if (has('version')) {
    await process.stdout.write(`${name} ${VERSION}\n`);
    return 0;
  }
  const change = [...'ADIRFXNPZEC'].find(has);
  if (change !== undefined) throw new NotSimulated(`rules that are changed by hand (${name} -${change})`);
  const fail = async (text: string, status = 1): Promise<number> => {
    await process.stderr.write(`${name} ${VERSION}: ${text}\n`);
    return status;
  };
  const table = get('t') ?? 'filter';
  if (!TABLES.includes(table))
    return fail(
      `table '${table.slice(0, 32)}' does not exist\nPerhaps iptables or your kernel needs to be upgraded.`,
      3,
    );
  if (!has('L') && !has('S'))
    return fail(`no command specified\nTry \`${name} -h' or '${name} --help' for more information.`, 2);
  const [chain] = operands;
  const own = { table: table as TableName, ...(chain === undefined ? {} : { chain }) };
  const found = await printLines(
    process,
    has('S')
      ? specLines(kernel, { ...own, verbose: has('v') })
      : listLines(kernel, {
          ...own,
          verbose: has('v'),
          numeric: has('n'),
          exact: has('x'),
          lineNumbers: has('line-numbers'),
          portName: port => portText(port, false),
        }),
  );
  if (found || chain === undefined || BUILTIN_CHAINS[own.table].includes(chain)) return 0;
  return fail(`chain \`${chain.slice(0, 64)}' in table \`${table}' is incompatible, use 'nft' tool.`);
});

/** iptables-save [-c] [-t TABLE] */
export const iptablesSave: Program = reading(async (process, kernel) => {
  const { has, get } = parseOptions(process.args.slice(1), {
    short: 'ct:M:',
    long: { counters: 'c', table: 't:' },
  });
  const table = get('t');
  if (table !== undefined && !TABLES.includes(table)) {
    await process.stderr.write(`${process.args[0] ?? ''} ${VERSION}: table '${table.slice(0, 32)}' does not exist\n`);
    return 1;
  }
  await printLines(
    process,
    saveLines(kernel, { counters: has('c'), ...(table === undefined ? {} : { table: table as TableName }) }),
  );
  return 0;
});
