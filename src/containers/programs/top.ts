import type { Process, Program } from '../process.js';
import { accountNames } from './accounts.js';
import { duration } from './durations.js';
import { machineSize } from './machine-size.js';
import { parseOptions } from './options.js';

/** top [-b] [-n COUNT] [-d SECONDS]; "q" ends it on a terminal. */
export const top: Program = async process => {
  const { has, get } = parseOptions(process.args.slice(1), { short: 'bHmn:d:' });
  const rounds = Number(get('n') ?? Infinity);
  const delay = duration(get('d') ?? '5') ?? 5000;
  const { clock } = process.container;
  const quit = new AbortController();
  const keys = process.tty && !has('b');
  if (keys) {
    process.terminal?.setRaw(true);
    void watchKeys(process, quit);
  }
  try {
    for (let i = 0; i < rounds; i++) {
      const page = await screen(process);
      const rows = process.terminal?.rows ?? 24;
      await process.stdout.write(
        keys
          ? `\x1b[H\x1b[J${page
              .split('\n')
              .slice(0, rows - 1)
              .join('\r\n')}`
          : page,
      );
      if (i + 1 >= rounds) break;
      if (!has('b') && !process.tty) break;
      await clock.sleep(delay, AbortSignal.any([process.signal, quit.signal]));
    }
    return 0;
  } catch (error) {
    if (quit.signal.aborted && !process.signal.aborted) return 0;
    throw error;
  } finally {
    if (keys) {
      process.terminal?.setRaw(false);
      await process.stdout.write('\r\n');
    }
  }
};

async function watchKeys(process: Process, quit: AbortController): Promise<void> {
  try {
    for (
      let keys = await process.stdin.read(process.signal);
      keys !== undefined;
      keys = await process.stdin.read(process.signal)
    )
      if (keys.includes('q') || keys.includes(3)) break;
    quit.abort();
  } catch (error) {
    if (!process.signal.aborted) throw error;
  }
}

async function screen(process: Process): Promise<string> {
  const { processes, files } = process.container;
  const { memory } = await machineSize(process);
  const names = await accountNames(process);
  const kb = (name: string): number => memory.get(name) ?? 0;
  const cached = kb('Cached');
  const used = kb('MemTotal') - kb('MemFree') - cached;
  const load =
    files.kind('/proc/loadavg') === undefined
      ? '0.00 0.00 0.00 1/1 1\n'
      : (await files.read('/proc/loadavg')).toString();
  const lines = [
    `Mem: ${used}K used, ${kb('MemFree')}K free, ${kb('Shmem')}K shrd, ${kb('Buffers')}K buff, ${cached}K cached`,
    'CPU:   0% usr   0% sys   0% nic 100% idle   0% io   0% irq   0% sirq',
    `Load average: ${load.trimEnd()}`,
    '  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND',
  ];
  for (const entry of processes.list()) {
    const size = Math.round(entry.memory() / 1024) + 4096;
    const percent = Math.round((size * 100) / Math.max(1, kb('MemTotal')));
    lines.push(
      `${String(entry.pid).padStart(5)} ${String(entry.ppid).padStart(5)} ${names.user(entry.uid).slice(0, 8).padEnd(8)} ${entry.stopped() ? 'T' : 'S'}    ${String(size).padStart(5)} ${String(percent).padStart(3)}%   0   0% ${entry.args.join(' ')}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
