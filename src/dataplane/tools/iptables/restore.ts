import { NetfilterError } from '../../kernel/errors.js';
import type { Kernel } from '../../kernel/types.js';
import type { Rule } from '../../kernel/xtables/rule.js';
import { ruleKey } from '../../kernel/xtables/rule-key.js';
import type { TableEdit } from '../../kernel/xtables/table.js';
import type { Family } from '../../packet.js';
import { parseRestore, type RestoreBlock } from './parse.js';

/**
 * Loads iptables-restore text, all or nothing per table: each COMMIT stands for itself, and a later bad block leaves the
 * earlier ones loaded. @throws NetfilterError with iptables-restore's message
 */
export function restore(kernel: Kernel, text: string, { noflush = false }: { noflush?: boolean } = {}): void {
  for (const block of parseRestore(text, kernel.family))
    kernel.xtables.change(block.table, edit => applyBlock(edit, block, noflush, kernel));
}

function applyBlock(edit: TableEdit, block: RestoreBlock, noflush: boolean, kernel: Kernel): void {
  if (!noflush) edit.flushAll();
  for (const command of block.commands) {
    try {
      if (command.kind === 'append' || command.kind === 'insert') checkSets(command.rule, kernel);
      switch (command.kind) {
        case 'declare':
          edit.declare(command.chain, command.policy, command.packets, command.bytes);
          break;
        case 'append':
          edit.append(command.rule.chain, [command.rule], command);
          break;
        case 'insert':
          edit.insert(command.rule, command.position, command);
          break;
        case 'delete':
          edit.removeRule(
            command.chain,
            'position' in command ? command.position : findRule(edit, command, kernel.family),
          );
          break;
        case 'flush':
          edit.declare(command.chain);
          break;
        case 'newChain':
          if (edit.has(command.chain)) throw new NetfilterError('Chain already exists.');
          edit.ensureChain(command.chain);
          break;
        case 'deleteChain':
          edit.deleteChain(command.chain);
          break;
        default:
          command satisfies never;
      }
    } catch (error) {
      if (error instanceof NetfilterError) throw new NetfilterError(`line ${command.line} failed: ${error.message}`);
      throw error;
    }
  }
}

function checkSets({ matches }: Rule, { ipsets }: Kernel): void {
  for (const match of matches)
    if (match.kind === 'set' && ipsets.get(match.set) === undefined)
      throw new NetfilterError(`Set ${match.set} doesn't exist.`);
}

function findRule(edit: TableEdit, { chain, rule }: { chain: string; rule: Rule }, family: Family): number {
  const wanted = ruleKey(rule, family);
  const position = edit.rules(chain).findIndex(loaded => ruleKey(loaded, family) === wanted);
  if (position < 0) throw new NetfilterError('Bad rule (does a matching rule exist in that chain?).');
  return position + 1;
}
