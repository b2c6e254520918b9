import { FunctionReturn, LoopControl, ShellExit, type Shell } from '../state.js';
import type { Builtin, Builtins } from './types.js';

const numeric = (shell: Shell, text: string | undefined): number =>
  text === undefined ? shell.status : /^\d+$/.test(text) ? Number(text) & 255 : 2;

const exit: Builtin = async (shell, [status]) => {
  throw new ShellExit(numeric(shell, status));
};

const returnFrom: Builtin = async (shell, [status]) => {
  throw new FunctionReturn(numeric(shell, status));
};

const loopControl =
  (kind: 'break' | 'continue'): Builtin =>
  async (shell, [count]) => {
    if (shell.loops === 0) return 0;
    throw new LoopControl(kind, Math.max(1, numeric(shell, count ?? '1')));
  };

export const flowBuiltins: Builtins = {
  ':': async () => 0,
  true: async () => 0,
  false: async () => 1,
  exit,
  return: returnFrom,
  break: loopControl('break'),
  continue: loopControl('continue'),
};
