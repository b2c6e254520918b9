import type { Program } from '../process.js';
import { humanSize } from './counts.js';
import { machineSize } from './machine-size.js';
import { parseOptions } from './options.js';
import { formatTime } from './times.js';

/** free [-bkmgh] */
export const free: Program = async process => {
  const { has } = parseOptions(process.args.slice(1), { short: 'bkmghtw' });
  const { memory } = await machineSize(process);
  const kb = (name: string): number => memory.get(name) ?? 0;
  const divide = has('b') ? 1 / 1024 : has('m') ? 1024 : has('g') ? 1024 ** 2 : 1;
  const show = (value: number): string =>
    (has('h') ? humanSize(value * 1024) : String(Math.floor(value / divide))).padStart(11);
  const cache = kb('Buffers') + kb('Cached') + kb('SReclaimable');
  const used = Math.max(0, kb('MemTotal') - kb('MemFree') - cache);
  const row = (name: string, values: readonly number[]): string => `${name.padEnd(9)}${values.map(show).join(' ')}\n`;
  await process.stdout.write(
    `${' '.repeat(9)}${['total', 'used', 'free', 'shared', 'buff/cache', 'available'].map(name => name.padStart(11)).join(' ')}\n` +
      row('Mem:', [kb('MemTotal'), used, kb('MemFree'), kb('Shmem'), cache, kb('MemAvailable')]) +
      row('Swap:', [kb('SwapTotal'), 0, kb('SwapFree')]),
  );
  return 0;
};

const span = (seconds: number): string => {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const clock = hours > 0 ? `${String(hours).padStart(2)}:${String(minutes).padStart(2, '0')}` : `${minutes} min`;
  return `${days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : ''}${clock}`;
};

/** uptime */
export const uptime: Program = async process => {
  const { files, clock } = process.container;
  const text = async (path: string): Promise<string> =>
    files.kind(path) === undefined ? '0' : (await files.read(path)).toString();
  const seconds = parseFloat(await text('/proc/uptime'));
  const load = (await text('/proc/loadavg')).split(' ').slice(0, 3).join(', ');
  await process.stdout.write(` ${formatTime('%H:%M:%S', clock.now())} up ${span(seconds)},  load average: ${load}\n`);
  return 0;
};

/** w, who and last: nobody logs in here. */
export const w: Program = async process => {
  await uptime(process);
  await process.stdout.write('USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n');
  return 0;
};
export const who: Program = async () => 0;
