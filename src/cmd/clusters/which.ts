import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { isDns1123Label } from '../../machinery/validation/names.js';
import { invalidArgument } from '../process.js';

/** One cluster of this machine: its data folder, and what it is called if it has a name. */
export interface Which {
  readonly name: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
}

export type Flags = Readonly<Record<string, string | boolean>>;

const MAX_NAME = 32;

/** Where what outlives a terminal is kept: $XDG_STATE_HOME/kubette. */
export const stateHome = (): string =>
  join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'kubette');

/** Of its context, cluster and user in a kubeconfig. */
export const contextOf = (name: string | undefined): string => (name === undefined ? 'kubette' : `kubette-${name}`);

/** Without either flag: .kubette in this folder. A named cluster is found from anywhere. @throws FlagError */
export function whichCluster(flags: Flags): Which {
  const { name, dataDir } = flags;
  if (typeof name === 'string' && (isDns1123Label(name).length > 0 || name.length > MAX_NAME))
    throw invalidArgument('name', name, `want up to ${MAX_NAME} lower case letters, digits and "-"`);
  const known = typeof name === 'string' ? name : undefined;
  const folder = typeof dataDir === 'string' ? dataDir : known === undefined ? '.kubette' : join(stateHome(), known);
  return { name: known, dataDir: resolve(folder) };
}

export const addWhichOptions = (command: Command): Command =>
  command
    .option('--name <name>', 'which cluster, where several run: as of up --name')
    .option('--data-dir <dir>', 'its data folder; default: .kubette, or that of the name');
