import { readFileSync, writeSync } from 'node:fs';

/** What Linux counts in: a hundredth of a second. */
const TICK_MS = 10;
/** Of a line of /proc/PID/stat what comes after the name, which may hold anything; the first is the third field. */
const AFTER_NAME = /^.*\) /s;
/** utime, stime, and the two of children that have ended and been waited for. */
const OWN = 14 - 3;

/** @returns milliseconds of a processor that a process and those that it has started have taken, from its /proc/PID/stat */
export const takenOf = (stat: string): number =>
  stat
    .replace(AFTER_NAME, '')
    .split(' ')
    .slice(OWN, OWN + 4)
    .reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);

/** Where there is no such file, what this process knows of itself, without what it has started. */
function taken(): number {
  try {
    return takenOf(readFileSync('/proc/self/stat', 'utf8'));
  } catch {
    const { user, system } = process.cpuUsage();
    return Math.round((user + system) / 1_000);
  }
}

/** Called within a test file's process: tells its runner at the end what it took. */
export const tellAtEnd = (fd: number): void => void process.on('exit', () => writeSync(fd, String(taken())));
