import type { XtablesProgram } from '../../kernel/program.js';
import { restoreText } from './rule-text.js';

/** The whole input for `iptables-restore --noflush --counters` that loads `program`, byte for byte kube-proxy's. */
export function printRestore(program: XtablesProgram): string {
  const lines: string[] = [];
  for (const { table, chains, commands } of program.tables) {
    lines.push(`*${table}`);
    for (const chain of chains) lines.push(`:${chain} - [0:0]`);
    for (const command of commands) {
      if (command.kind === 'deleteChain') lines.push(`-X ${command.chain}`);
      else for (const rule of command.rules) lines.push(restoreText(rule));
    }
    lines.push('COMMIT');
  }
  return `${lines.join('\n')}\n`;
}
