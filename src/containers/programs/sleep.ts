import type { Process, Program } from '../process.js';
import { duration } from './durations.js';

const forever = (process: Process): Promise<never> =>
  new Promise((_, reject) => {
    const end = (): void => reject(process.signal.reason as Error);
    if (process.signal.aborted) end();
    else process.signal.addEventListener('abort', end, { once: true });
  });

/** sleep DURATION... */
export const sleep: Program = async process => {
  let total = 0;
  if (process.args.length < 2) {
    await process.stderr.write('sleep: missing operand\n');
    return 1;
  }
  for (const text of process.args.slice(1)) {
    const ms = duration(text);
    if (ms === undefined) {
      await process.stderr.write(`sleep: invalid number '${text}'\n`);
      return 1;
    }
    total += ms;
  }
  if (total === Infinity) return forever(process);
  await process.container.clock.sleep(total, process.signal);
  return 0;
};

/** usleep MICROSECONDS */
export const usleep: Program = async process => {
  const ms = duration(process.args[1] ?? '0');
  await process.container.clock.sleep((ms ?? 0) / 1_000_000, process.signal);
  return 0;
};

export const pause: Program = process => forever(process);
