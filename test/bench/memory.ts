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
