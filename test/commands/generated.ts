import { Command } from 'commander';
import { configSchema } from '../../src/cmd/up/config-schema.js';
import { reference } from './reference.js';
import { registerAll } from '../../src/cmd/commands.js';

/** Texts by file, as they are to be. */
export async function generated(): Promise<Readonly<Record<string, string>>> {
  const program = new Command('kubette').enablePositionalOptions();
  await registerAll(program);
  const up = program.commands.find(command => command.name() === 'up');
  if (up === undefined) throw new Error('there is no kubette up');
  return {
    'docs/commands.md': reference(program),
    'api-schemas/up-config.v1.json': `${JSON.stringify(configSchema(up), undefined, 2)}\n`,
  };
}
