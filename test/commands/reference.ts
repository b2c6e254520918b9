import type { Command, Option } from 'commander';
import { DEFAULT_EXIT_CODES, exitCodesOf, type ExitCodes } from '../../src/cmd/exit-codes.js';

/** What is no mark-up, though it looks so. */
const words = (text: string): string => text.replaceAll(/[<*]/g, '\\$&');

const HEAD = `# The commands

Written from the commands themselves (\`make commands\`): what \`kubette COMMAND --help\` says. The exit codes of a command that
says nothing of them:
${codesText(DEFAULT_EXIT_CODES)}`;

/** docs/commands.md: every command and every command below one. */
export function reference(program: Command): string {
  const all = program.commands.flatMap(command => withBelow(command, 'kubette'));
  const contents = all.map(
    ({ command, path }) => `- [${path}](#${path.replaceAll(' ', '-')}): ${words(command.description())}`,
  );
  return `${HEAD}\n${contents.join('\n')}\n\n${all.map(sectionOf).join('\n')}`;
}

interface Placed {
  readonly command: Command;
  /** "kubette node add" */
  readonly path: string;
}

function withBelow(command: Command, above: string): Placed[] {
  const path = `${above} ${command.name()}`;
  return [{ command, path }, ...command.commands.flatMap(one => withBelow(one, path))];
}

function sectionOf({ command, path }: Placed): string {
  const options = command.options.filter(({ hidden }) => !hidden);
  const codes = exitCodesOf(command);
  return [
    `## ${path}\n\n${words(sentence(command.description()))}\n`,
    `\n\`\`\`text\n${path} ${command.usage()}\n\`\`\`\n`,
    table(
      ['argument', ''],
      command.registeredArguments.map(argument => [`\`${argument.name()}\``, words(argument.description)]),
    ),
    table(
      ['flag', 'default', ''],
      options.map(option => [`\`${option.flags}\``, defaultOf(option), words(option.description)]),
    ),
    codes === DEFAULT_EXIT_CODES ? '' : `\nExit codes:\n${codesText(codes)}`,
  ].join('');
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function codesText(codes: ExitCodes): string {
  const lines = Object.entries(codes).map(([code, meaning]) => `- ${code}: ${words(meaning)}\n`);
  return `\n${lines.join('')}`;
}

function defaultOf({ defaultValue, mandatory }: Option): string {
  const value: unknown = defaultValue;
  if (mandatory) return 'required';
  return typeof value === 'string' && value !== '' ? `\`${value}\`` : '';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `\n${[line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')}\n`;
}
