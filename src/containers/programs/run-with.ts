import { resolvePath } from '../file-system.js';
import { Killed, type Process, type Program } from '../process.js';
import { readerOf, spawn } from '../spawn.js';
import { emptyInput } from '../io.js';
import { duration } from './durations.js';
import { usage } from './each-path.js';
import { parseOptions } from './options.js';
import { runOther } from './run-other.js';

const seconds = (ms: number): string => `${Math.floor(ms / 60_000)}m ${((ms % 60_000) / 1000).toFixed(2)}s`;

/** time [-vpa] PROGRAM [ARGUMENT...] */
export const time: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'vpao:f:', stopAtOperand: true });
  if (operands.length === 0) return usage(process, 'time [-vpa] [-o FILE] PROG ARGS');
  const { clock } = process.container;
  const started = clock.monotonic();
  const status = await runOther(process, operands);
  const took = Math.max(0, clock.monotonic() - started);
  await process.stderr.write(
    has('p')
      ? `real ${(took / 1000).toFixed(2)}\nuser 0.00\nsys 0.00\n`
      : `real\t${seconds(took)}\nuser\t0m 0.00s\nsys\t0m 0.00s\n`,
  );
  return status;
};

/** watch [-t] [-n SECONDS] PROGRAM [ARGUMENT...] */
export const watch: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), { short: 'tn:', stopAtOperand: true });
  if (operands.length === 0) return usage(process, 'watch [-n SEC] [-t] PROG ARGS');
  const { clock } = process.container;
  const interval = duration(get('n') ?? '2') ?? 2000;
  for (;;) {
    await process.stdout.write('\x1b[H\x1b[J');
    if (!has('t')) await process.stdout.write(`Every ${(interval / 1000).toFixed(1)}s: ${operands.join(' ')}\n\n`);
    await runOther(process, ['sh', '-c', operands.join(' ')]);
    await clock.sleep(Math.max(100, interval), process.signal);
  }
};

/** nohup PROGRAM [ARGUMENT...]: it goes on when its terminal is gone. */
export const nohup: Program = async process => {
  const words = process.args.slice(1);
  if (words.length === 0) return usage(process, 'nohup PROG ARGS');
  const { container } = process;
  const program = await container.program(words[0] ?? '');
  if (program === undefined) {
    await process.stderr.write(`nohup: can't execute '${words[0] ?? ''}': No such file or directory\n`);
    return 127;
  }
  let { stdout, stderr } = process;
  if (process.tty) {
    await process.stderr.write('nohup: appending output to nohup.out\n');
    stdout = stderr = await container.files.openWrite(resolvePath(process.cwd, 'nohup.out'), {
      append: true,
      mode: 0o600,
    });
  }
  const child = spawn(container, {
    args: words,
    program: own => {
      own.trap('HUP', () => undefined);
      return program(own);
    },
    env: process.env,
    cwd: process.cwd,
    stdin: process.tty ? emptyInput : readerOf(process.stdin, process.turn),
    stdout,
    stderr,
    parent: container.life ?? process.signal,
    ppid: process.pid,
  });
  process.trap('HUP', () => undefined);
  process.signal.addEventListener('abort', () => {
    const { reason } = process.signal as { reason: unknown };
    if (!(reason instanceof Killed && reason.by === 'HUP')) child.kill(reason instanceof Killed ? reason.by : 'KILL');
  });
  return child.exited;
};

/** Programs that run another one otherwise than is simulated: its priority, session or processor is what it was. */
const plain =
  (short: string, text: string, skip: (words: string[]) => void = () => undefined): Program =>
  async (process: Process) => {
    const { operands } = parseOptions(process.args.slice(1), { short, stopAtOperand: true });
    const words = [...operands];
    skip(words);
    return words.length === 0 ? usage(process, text) : runOther(process, words);
  };

export const nice: Program = async process => {
  if (process.args.length === 1) return (await process.stdout.write('0\n'), 0);
  return plain(
    'n:',
    'nice [-n ADJUST] PROG ARGS',
  )({ ...process, args: process.args.map(arg => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg)) });
};
export const setsid = plain('cw', 'setsid [-c] PROG ARGS');
export const ionice = plain('c:n:p:t', 'ionice [-c 1-3] [-n 0-7] PROG ARGS');
export const taskset = plain('ap', 'taskset MASK PROG ARGS', words => void words.shift());
export const linux64 = plain('', 'linux64 PROG ARGS');

/** ts [FORMAT]: a time before every line. */
export const ts: Program = async process => {
  const [{ eachLine, TextOutput }, { formatTime }] = [await import('./lines.js'), await import('./times.js')];
  const { operands } = parseOptions(process.args.slice(1), { short: 'is' });
  const out = new TextOutput(process.stdout);
  await eachLine(
    process,
    process.stdin,
    line => out.write(`${formatTime(operands[0] ?? '%b %d %H:%M:%S', process.container.clock.now())} ${line}\n`),
    out,
  );
  return 0;
};
