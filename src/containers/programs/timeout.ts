import { SIGNAL_NUMBERS, type Program } from '../process.js';
import { signalName } from '../signals.js';
import { duration } from './durations.js';
import { parseOptions } from './options.js';
import { startOther } from './run-other.js';

/** timeout [-s SIGNAL] [-k SECONDS] SECONDS PROGRAM [ARGUMENT]... */
export const timeout: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 's:k:t:',
    stopAtOperand: true,
    long: { signal: 's:', 'kill-after': 'k:' },
  });
  const words = [...options.operands];
  const limit = options.get('t') ?? words.shift() ?? '';
  const ms = duration(limit);
  const name = signalName(options.get('s') ?? 'TERM');
  if (ms === undefined || words.length === 0 || name === undefined || name === 'EXIT') {
    await process.stderr.write('timeout: usage: timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS\n');
    return 1;
  }
  const child = await startOther(process, words);
  if (child === undefined) return 127;
  const { clock } = process.container;
  let late = false;
  const cancels = [
    clock.after(ms, () => {
      late = true;
      child.kill(name);
      const more = duration(options.get('k') ?? '');
      if (more !== undefined) cancels.push(clock.after(more, () => child.kill('KILL')));
    }),
  ];
  try {
    const status = await child.exited;
    return late ? 128 + SIGNAL_NUMBERS[name] : status;
  } finally {
    for (const cancel of cancels) cancel();
  }
};
