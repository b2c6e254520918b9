import type { Json } from '../../../../machinery/types.js';
import type { NftCommand, NftablesProgram } from '../../../kernel/program.js';
import type { Family } from '../../../packet.js';
import { ipOf } from '../family-name.js';
import { baseJson } from './chain-json.js';
import { expressionsJson } from './rule-json.js';
import { elementJson, keyJson, keyTypesJson, setProperties } from './set-json.js';
import { jsonText } from './text.js';

interface Head {
  readonly family: string;
  readonly table: string;
}

const commentJson = (comment: string | undefined): { [key: string]: Json } =>
  comment === undefined ? {} : { comment };

function commandJson(command: NftCommand, head: Head, family: Family): Json[] {
  switch (command.kind) {
    case 'addChain': {
      const { name, base, comment } = command.chain;
      return [{ add: { chain: { ...head, name, ...baseJson(base), ...commentJson(comment) } } }];
    }
    case 'flushChain':
      return [{ flush: { chain: { ...head, name: command.chain } } }];
    case 'deleteChain':
      return [{ delete: { chain: { ...head, name: command.chain } } }];
    case 'addRules': {
      const { chain, rules } = command;
      return rules.map(rule => {
        const expr = expressionsJson(rule, family, 'input');
        return { add: { rule: { ...head, chain, ...commentJson(rule.comment), expr } } };
      });
    }
    case 'addSet': {
      const { set } = command;
      const { kind, name } = set;
      return [{ add: { [kind]: { ...head, name, type: keyTypesJson(set), ...setProperties(set) } } }];
    }
    case 'deleteSet':
      return [{ delete: { set: { ...head, name: command.set } } }];
    case 'addElement':
      return [{ add: { element: { ...head, name: command.set, elem: [elementJson(command.element)] } } }];
    case 'deleteElement':
      return [{ delete: { element: { ...head, name: command.set, elem: [keyJson(command.key)] } } }];
  }
}

/**
 * The program as input of `nft -j -f`, which does it in one transaction. nft 1.0.6 looks at no comments of tables, chains and
 * sets there; later versions do.
 */
export function printNftJsonScript({ family, table, comment, full, commands }: NftablesProgram): string {
  const named = { family: ipOf(family), name: table };
  const add = { add: { table: { ...named, comment } } };
  // Whatever was there goes first: a table must be there to be deleted.
  const items: string[] = full ? [add, { delete: { table: named } }, add].map(jsonText) : [];
  const head = { family: ipOf(family), table };
  for (const command of commands) for (const one of commandJson(command, head, family)) items.push(jsonText(one));
  return `{"nftables": [${items.join(', ')}]}\n`;
}
