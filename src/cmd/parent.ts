import { fstatSync } from 'node:fs';
import type { Clock } from '../machinery/clock.js';

const LOOK_MS = 250;

/**
 * Calls back once when the process that started this one is gone: its end of our standard input is closed, where that is
 * a pipe, or we have another parent.
 */
export function onParentGone(clock: Clock, gone: () => void): void {
  const { ppid } = process;
  let told = false;
  const tell = (): void => {
    if (told) return;
    told = true;
    gone();
  };
  if (isPipe(0)) {
    process.stdin.once('end', tell);
    process.stdin.once('error', tell);
    // What comes is for nobody, but without somebody who reads there is no end.
    process.stdin.resume();
    process.stdin.unref?.();
  }
  const look = (): void => {
    if (process.ppid !== ppid) return tell();
    clock.after(LOOK_MS, look, { unref: true });
  };
  look();
}

/** A terminal or /dev/null is nobody's. */
function isPipe(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.isSocket();
  } catch (error) {
    // It may have been closed before.
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return false;
    throw error;
  }
}
