import { SIGNAL_NUMBERS } from '../../process.js';
import { signalName } from '../../signals.js';
import { complain } from './complain.js';
import type { Builtin, Builtins } from './types.js';

const trap: Builtin = async (shell, args, streams) => {
  if (args.length === 0) {
    for (const [name, action] of shell.traps) await streams.stdout.write(`trap -- '${action}' ${name}\n`);
    return 0;
  }
  const [action = '', ...names] = args;
  for (const text of names) {
    const name = signalName(text);
    if (name === undefined) return complain(shell, streams, `trap: ${text}: bad trap`);
    if (action === '-') shell.traps.delete(name);
    else shell.traps.set(name, action);
    if (name === 'EXIT') continue;
    const remove = shell.process.trap(name, () => {
      shell.caught.push(name);
      shell.wake();
    });
    if (action === '-') remove();
  }
  return 0;
};

const wait: Builtin = async (shell, args) => {
  const ids = args.map(arg => Number(arg.replace('%', '')));
  const wanted = ids.length === 0 ? [...shell.jobs.keys()] : ids;
  let status = 0;
  for (const id of wanted) {
    const job = shell.jobs.get(id);
    if (job === undefined) {
      status = 127;
      continue;
    }
    const interrupted = new Promise<'signal'>(resolve => {
      shell.wake = () => resolve('signal');
      if (shell.caught.length > 0) resolve('signal');
    });
    const { interrupted: line } = shell;
    const stopped = new Promise<'stopped'>(resolve =>
      line?.addEventListener('abort', () => resolve('stopped'), { once: true }),
    );
    const outcome = await Promise.race([job.exited, interrupted, stopped]);
    shell.process.signal.throwIfAborted();
    line?.throwIfAborted();
    if (outcome === 'stopped') return 130;
    if (outcome === 'signal') return 128 + SIGNAL_NUMBERS[shell.caught[0] ?? 'TERM'];
    shell.jobs.delete(id);
    status = ids.length === 0 ? 0 : outcome;
  }
  return status;
};

const jobs: Builtin = async (shell, _args, { stdout }) => {
  for (const pid of shell.jobs.keys()) await stdout.write(`[${pid}]+  Running\n`);
  return 0;
};

const fg: Builtin = async (shell, args, streams, interpreter) => {
  const id = args[0] === undefined ? [...shell.jobs.keys()].at(-1) : Number(args[0].replace('%', ''));
  const job = id === undefined ? undefined : shell.jobs.get(id);
  if (job === undefined) return complain(shell, streams, 'fg: no current job', 2);
  return wait(shell, [String(job.pid)], streams, interpreter);
};

export const jobBuiltins: Builtins = {
  trap,
  wait,
  jobs,
  bg: async (shell, _args, streams) => complain(shell, streams, 'bg: no job control in this shell', 2),
  fg,
  times: async (_shell, _args, { stdout }) => (await stdout.write('0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n'), 0),
};
