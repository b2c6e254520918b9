import type { Kernel } from '../../../dataplane/kernel/types.js';
import { ipsetListLines } from '../../../dataplane/tools/ipset/print-list.js';
import { ipsetSaveLines } from '../../../dataplane/tools/ipset/print-save.js';
import type { Program } from '../../process.js';
import { printLines, rulesProgram } from './node-rules.js';
import { NotSimulated } from './stack-of.js';

const MISSING = 'ipset v7.17: The set with the given name does not exist\n';

/** ipset list|save|test [NAME] */
export const ipset: Program = rulesProgram(
  () => 'ipset v7.17: Kernel error received: Operation not permitted',
  1,
  async (process, kernels) => {
    const args = process.args.slice(1);
    const terse = args.includes('-t') || args.includes('-terse');
    const names = args.includes('-n') || args.includes('-name');
    const [command = '', name, entry] = args.filter(arg => !/^-(t|terse|n|name|s|sorted)$/.test(arg));
    const all = (['IPv4', 'IPv6'] as const).flatMap((family): Kernel[] => {
      const kernel = kernels(family);
      return kernel === undefined ? [] : [kernel];
    });
    const sets = all.flatMap(kernel => kernel.ipsets.all());
    const isThere = name === undefined || sets.some(set => set.name === name);
    const which = command.replace(/^-+/, '');
    if (['list', 'L', 'save', 'S', 'test', 'T'].includes(which) && !isThere) {
      await process.stderr.write(MISSING);
      return 1;
    }
    switch (which) {
      case 'list':
      case 'L': {
        if (names) {
          await printLines(
            process,
            sets.map(set => `${set.name}\n`),
          );
          return 0;
        }
        let between = '';
        for (const kernel of all) {
          const lines = ipsetListLines(kernel, { terse, ...(name === undefined ? {} : { name }) });
          if (await printLines(process, behind(between, lines))) between = '\n';
        }
        return 0;
      }
      case 'save':
      case 'S':
        for (const kernel of all) await printLines(process, only(ipsetSaveLines(kernel), name));
        return 0;
      case 'test':
      case 'T': {
        const set = sets.find(each => each.name === name);
        const found = set?.entries.has(entry ?? '') === true;
        await process.stderr.write(`${(entry ?? '').slice(0, 128)} is ${found ? '' : 'NOT '}in set ${name ?? ''}.\n`);
        return found ? 0 : 1;
      }
      default:
        throw new NotSimulated(`ipset ${which.slice(0, 64)}: sets that are changed by hand`);
    }
  },
);

function* behind(between: string, lines: Iterable<string>): Generator<string> {
  let text = between;
  for (const line of lines) {
    if (line === '') yield '';
    else {
      yield text + line;
      text = '';
    }
  }
}

/** The lines of one set, or of all. */
function* only(lines: Iterable<string>, name: string | undefined): Generator<string> {
  for (const line of lines) if (name === undefined || line.split(' ', 2)[1] === name) yield line;
}
