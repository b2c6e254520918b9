import type { Builtin } from './types.js';
import { commandBuiltins } from './commands.js';
import { directoryBuiltins } from './directories.js';
import { flowBuiltins } from './flow.js';
import { jobBuiltins } from './jobs.js';
import { settingBuiltins } from './settings.js';
import { variableBuiltins } from './variables.js';

/** Every builtin by its name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  Object.entries({
    ...flowBuiltins,
    ...variableBuiltins,
    ...settingBuiltins,
    ...directoryBuiltins,
    ...jobBuiltins,
    ...commandBuiltins,
  }),
);
