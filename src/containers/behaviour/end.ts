import type { Behaviour } from './settings.js';

/** How a container is told to end, and when, in milliseconds after its start. */
export interface End {
  readonly afterMs: number;
  /** Its exit code, or the kernel's way with who has no memory left. */
  readonly how: number | 'out of memory';
}

/**
 * Undefined: it is told nothing, or has ended so as often as it should. `run`: how often it has run before;
 * `exceeds`: whether it uses more memory than it may.
 */
export function endOf(
  { exitCode, exitAfter, oomAfter, exitTimes = Infinity }: Behaviour,
  run: number,
  exceeds = false,
): End | undefined {
  if (run >= exitTimes) return undefined;
  const exit = exitCode === undefined && exitAfter === undefined ? Infinity : (exitAfter ?? 0);
  const kill = oomAfter ?? (exceeds ? 0 : Infinity);
  if (kill <= exit && kill < Infinity) return { afterMs: kill, how: 'out of memory' };
  return exit < Infinity ? { afterMs: exit, how: exitCode ?? 0 } : undefined;
}
