import { readFileSync } from 'node:fs';

/** Resident memory of a process in MB, pages shared with others counted whole (RSS) and by share (PSS). */
export function memoryOf(pid: number): { rss: number; pss: number } {
  const field = (text: string, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN) / 1024;
  return {
    rss: field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS'),
    pss: field(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss'),
  };
}

/** Linux tells times of processes in hundredths of a second, whatever its own clock. */
const TICK_MS = 10;

/** Milliseconds of CPU time that a process has used: what it costs, also on a machine that has other things to do. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is a name in parentheses; user and system time are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
