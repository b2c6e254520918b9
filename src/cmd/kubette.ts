#!/usr/bin/env node
import { Command } from 'commander';
import { nearest } from '../machinery/nearest.js';
import { COMMANDS, registerAll } from './commands.js';
import { nameSourcesInStacks } from './source-maps.js';

nameSourcesInStacks();

const program = new Command('kubette')
  .description('A whole Kubernetes control plane in one npm package')
  .option('-V, --version', 'print the version, as "kubette version" does')
  .showSuggestionAfterError(true)
  // What follows a command is the command's.
  .enablePositionalOptions()
  // One clear line for a bad flag; help is asked for with --help.
  .configureOutput({
    outputError: (text, write) => write(`kubette: ${oneLine(text)}; ${help(chosen)} lists what there is\n`),
  });

const help = (command = ''): string => (command in COMMANDS ? `"kubette ${command} --help"` : '"kubette --help"');

/** "error: unknown option '--node'\n(Did you mean --nodes?)" */
const oneLine = (text: string): string =>
  text
    .replace(/^error: /, '')
    .trimEnd()
    .split('\n')
    .slice(0, 2)
    .join(' ');

const didYouMean = (word: string): string => {
  const near = nearest(word, Object.keys(COMMANDS));
  return near === undefined ? '' : ` (Did you mean ${near}?)`;
};

const chosen = process.argv[2];
if (chosen === '--version' || chosen === '-V') {
  const { versionText } = await import('./version.js');
  process.stdout.write(`${versionText()}\n`);
  process.exit(0);
}
// These are about all of them.
const ALL = ['help', 'completion'];
if (chosen === undefined || chosen.startsWith('-') || ALL.includes(chosen)) {
  await registerAll(program);
} else {
  const load = COMMANDS[chosen];
  if (load === undefined) {
    process.stderr.write(
      `kubette: unknown command ${JSON.stringify(chosen)}${didYouMean(chosen)}; there are ${Object.keys(COMMANDS).join(', ')}\n`,
    );
    process.exit(1);
  }
  (await load()).register(program);
}
await program.parseAsync();
