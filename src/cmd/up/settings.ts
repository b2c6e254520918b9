import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { NodeDescription } from '../../cluster/node-description.js';
import type { BehaviourRule } from '../../testing/behaviour-types.js';
import type { ApiObject } from '../../testing/types.js';
import type { Flags } from '../clusters/which.js';
import type { UpConfig } from './config.js';

/** What `up` is told: its flags, and for what is not on the command line its file. */
export interface UpSettings {
  readonly flags: Flags;
  /** What the nodes are like; undefined: nobody says. */
  readonly nodes: readonly NodeDescription[] | undefined;
  /** What containers are told to do, beside the file of --behaviour. */
  readonly rules: readonly BehaviourRule[];
  /** Applied when everything is ready: objects, absolute paths of files and folders. */
  readonly objects: readonly (string | ApiObject)[];
}

/** @throws Problems with all that is wrong in the file */
export async function settingsOf(up: Command): Promise<UpSettings> {
  const { config: file, objects: paths, ...given } = up.opts<Record<string, string | boolean | string[]>>();
  const config: UpConfig =
    typeof file === 'string' ? await (await import('./config.js')).readConfig(file, up) : { flags: {}, rules: [] };
  const flags = { ...(given as Flags) };
  for (const [name, value] of Object.entries(config.flags))
    if (up.getOptionValueSource(name) !== 'cli') flags[name] = value;
  const onLine = Array.isArray(paths) ? paths.map(path => resolve(path)) : [];
  return {
    flags,
    nodes: config.nodes,
    rules: config.rules,
    objects: onLine.length > 0 ? onLine : (config.objects ?? []),
  };
}
