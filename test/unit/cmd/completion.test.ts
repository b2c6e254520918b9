import { Command } from 'commander';
import t from 'tap';
import { COMMANDS, registerAll } from '../../../src/cmd/commands.js';
import { completionOf } from '../../../src/cmd/completion/print.js';
import { SHELLS } from '../../../src/cmd/completion/shells.js';

t.test('every shell is told every command, every command below one, and every flag', async t => {
  const program = new Command('kubette').enablePositionalOptions();
  await registerAll(program);
  t.same(
    program.commands.map(command => command.name()).sort(),
    Object.keys(COMMANDS).sort(),
    'a file for each name, and the other way around',
  );
  const below = (command: Command): Command[] => [command, ...command.commands.flatMap(below)];
  const all = below(program);
  t.ok(all.length > 25, `${all.length} commands`);
  for (const shell of SHELLS) {
    const script = completionOf(shell, program);
    const words = new Set(script.split(/[^\w-]+/));
    for (const command of all) {
      t.ok(words.has(command.name()), `${shell}: ${command.name()}`);
      for (const { long, hidden } of command.options)
        if (long !== undefined && !hidden)
          t.ok(words.has(shell === 'fish' ? long.replace(/^-+/, '') : long), `${shell}: ${command.name()} ${long}`);
    }
  }
});
