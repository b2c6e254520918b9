import { Killed } from '../process.js';
import { checkpoint } from './processes.js';
import { forkShell, FunctionReturn, LoopControl, ShellExit, type Shell } from './state.js';

/** Of functions and compound commands in each other: the stack of a real shell overflows somewhere near. */
const MAX_DEPTH = 1000;
/** What a level of them takes of the memory. */
const LEVEL_BYTES = 8 * 1024;

/** The status of a subshell's body, `exit` included. */
export async function catchExit(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ShellExit) return error.status;
    if (error instanceof LoopControl) return 0;
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  }
}

/** One level down. A stack that overflows is a segmentation fault, as in the shells themselves. */
export async function deeper<T>(shell: Shell, work: () => Promise<T>): Promise<T> {
  if (shell.depth >= MAX_DEPTH) throw new Killed('SEGV');
  const { memory } = shell.process;
  memory.add(LEVEL_BYTES);
  shell.depth++;
  try {
    return await work();
  } finally {
    shell.depth--;
    memory.remove(LEVEL_BYTES);
  }
}

/** Runs what follows in a copy of the shell that is given back afterwards. */
export async function inSubshell(shell: Shell, work: (copy: Shell) => Promise<number>): Promise<number> {
  const copy = forkShell(shell);
  try {
    return await catchExit(() => work(copy));
  } catch (error) {
    // A stack that overflows in a subshell is that process's end, not its parent's, though both are one process here.
    if (error instanceof Killed && error.by === 'SEGV' && !shell.process.signal.aborted) return error.exitCode;
    throw error;
  } finally {
    copy.variables.release();
  }
}

/** A loop: `turn` says whether to go on. */
export async function runLoop(shell: Shell, turn: () => Promise<boolean>): Promise<void> {
  shell.loops++;
  try {
    for (;;) {
      await checkpoint(shell);
      try {
        if (!(await turn())) return;
      } catch (error) {
        if (!(error instanceof LoopControl)) throw error;
        if (--error.depth > 0 && shell.loops > 1) throw error;
        if (error.kind === 'break') return;
      }
    }
  } finally {
    shell.loops--;
  }
}
