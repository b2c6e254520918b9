import { keyText } from '../../kernel/nftables/rule.js';
import type { NftCommand, NftablesProgram } from '../../kernel/program.js';
import { ipOf } from './family-name.js';
import { nftRuleText } from './rule-text.js';
import { elementText, setLines } from './set-text.js';

/** The program as input of `nft -f`, which does it in one transaction. */
export function printNftScript(program: NftablesProgram): string {
  const table = `${ipOf(program.family)} ${program.table}`;
  const head = `add table ${table} { comment "${program.comment}" ; }\n`;
  // Whatever was there goes first: a table must be there to be deleted.
  const begin = program.full ? `${head}delete table ${table}\n${head}` : '';
  return begin + program.commands.map(command => commandText(command, table, program)).join('');
}

function commandText(command: NftCommand, table: string, { family }: NftablesProgram): string {
  switch (command.kind) {
    case 'addChain': {
      const { name, base, comment } = command.chain;
      const hangs =
        base === undefined ? '' : `type ${base.type} hook ${base.hook} priority ${base.priority} ; policy accept ; `;
      const about = comment === undefined ? '' : `comment "${comment}" ; `;
      const body = hangs + about;
      return `add chain ${table} ${name}${body === '' ? '' : ` { ${body}}`}\n`;
    }
    case 'flushChain':
      return `flush chain ${table} ${command.chain}\n`;
    case 'deleteChain':
      return `delete chain ${table} ${command.chain}\n`;
    case 'addRules':
      return command.rules
        .map(rule => `add rule ${table} ${command.chain} ${nftRuleText(rule, family, 'input')}\n`)
        .join('');
    case 'addSet':
      return `add ${command.set.kind} ${table} ${command.set.name} { ${setLines(command.set).join(' ; ')} ; }\n`;
    case 'deleteSet':
      return `delete set ${table} ${command.set}\n`;
    case 'addElement':
      return `add element ${table} ${command.set} { ${elementText(command.element)} }\n`;
    case 'deleteElement':
      return `delete element ${table} ${command.set} { ${keyText(command.key)} }\n`;
  }
}
