import type { XtablesProgram } from '../program.js';
import type { TableName } from './rule.js';
import { ruleKey } from './rule-key.js';
import type { TableEdit } from './table.js';

/** Turns a program into edits: jumps are inserted where they are missing, tables are written as iptables-restore writes them. */
export function loadProgram(program: XtablesProgram, editOf: (table: TableName) => TableEdit): void {
  for (const { table, chain } of program.ensureChains) editOf(table).ensureChain(chain);
  for (const { table, rule, append } of program.jumps) {
    const edit = editOf(table);
    if (rule.verdict.kind === 'jump') edit.ensureChain(rule.verdict.chain);
    const key = ruleKey(rule, program.family);
    if (edit.rules(rule.chain).some(loaded => ruleKey(loaded, program.family) === key)) continue;
    if (append === true) edit.append(rule.chain, [rule]);
    else edit.insert(rule, 1);
  }
  for (const { table, chains, commands } of program.tables) {
    const edit = editOf(table);
    for (const chain of chains) edit.declare(chain);
    for (const command of commands) {
      if (command.kind === 'addRules') edit.append(command.chain, command.rules);
      else edit.deleteChain(command.chain);
    }
  }
}
