import { defaultPlugins, type PluginContext } from './plugins/index.js';
import type { Plugin } from './plugin.js';

/** Which plugins place the Pods of one schedulerName. */
export interface Profile {
  readonly schedulerName: string;
  readonly plugins: (context: PluginContext) => readonly Plugin[];
}

export const DEFAULT_PROFILES: readonly Profile[] = [{ schedulerName: 'default-scheduler', plugins: defaultPlugins }];
