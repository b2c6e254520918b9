#!/usr/bin/env node
import { Command } from 'commander';

/**
 * Subcommands by name. Only the chosen one is loaded, and each file holds only its flags: what it runs is imported in
 * its action. All are loaded to print help.
 */
const COMMANDS: Readonly<Record<string, () => Promise<{ register(program: Command): void }>>> = {
  up: () => import('./up.js'),
  apiserver: () => import('./apiserver.js'),
  'controller-manager': () => import('./controller-manager.js'),
  'node-agent': () => import('./node-agent.js'),
  dns: () => import('./dns.js'),
  trace: () => import('./trace.js'),
};

const program = new Command('kubette')
  .description('A whole Kubernetes control plane in one npm package')
  .showSuggestionAfterError(false)
  // One clear line for a bad flag; help is asked for with --help.
  .configureOutput({
    outputError: (text, write) => write(`kubette: ${text.replace(/^error: /, '').split('\n')[0] ?? ''}\n`),
  });

const chosen = process.argv.slice(2).find(argument => !argument.startsWith('-'));
const load = chosen === undefined ? undefined : COMMANDS[chosen];
for (const one of load === undefined ? Object.values(COMMANDS) : [load]) (await one()).register(program);
await program.parseAsync();
