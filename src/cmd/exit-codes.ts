import type { EventEmitter } from 'node:events';
import type { Command } from 'commander';

export type ExitCodes = Readonly<Record<number, string>>;

/** Of every command that says nothing else. */
export const DEFAULT_EXIT_CODES: ExitCodes = { 0: 'done', 1: 'it could not be done; the last line of stderr says why' };

const HEADING = 'Exit codes:';

/** Says in --help, and so in the reference, what the exit codes of a command mean. */
export const addExitCodes = (command: Command, codes: ExitCodes): Command =>
  command.addHelpText(
    'after',
    `\n${HEADING}\n${Object.entries(codes)
      .map(([code, meaning]) => `  ${code}  ${meaning}`)
      .join('\n')}`,
  );

/** What --help says of them. */
export function exitCodesOf(command: Command): ExitCodes {
  let help = '';
  // Its types do not say that it is an EventEmitter.
  (command as unknown as EventEmitter).emit('afterHelp', {
    error: false,
    command,
    write: (text: string) => (help += text),
  });
  const [, codes] = help.split(`${HEADING}\n`);
  if (codes === undefined) return DEFAULT_EXIT_CODES;
  const lines = codes.trimEnd().split('\n');
  return Object.fromEntries(
    lines.map(line => {
      const [code = '', ...meaning] = line.trim().split('  ');
      return [code, meaning.join('  ')];
    }),
  );
}
