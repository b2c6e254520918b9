import type { Process, ProcessEntry, Program } from '../process.js';
import { commOf } from '../proc-tree.js';
import { SIGNAL_NUMBERS, signalName, type SignalName } from '../signals.js';
import { compileRegex } from '../../machinery/regex/regex.js';
import { parseOptions } from './options.js';

type Signal = SignalName | 'EXIT' | undefined;

/** "-TERM", "-s TERM", "-15" off the front of arguments. */
function takeSignal(args: string[]): Signal {
  if (args[0] === '-s') {
    args.shift();
    return signalName(args.shift() ?? '');
  }
  return args[0]?.startsWith('-') === true && args[0] !== '--' ? signalName((args.shift() ?? '').slice(1)) : 'TERM';
}

/** Only root, and who it belongs to, may. */
const may = (process: Process, target: ProcessEntry): boolean => {
  const { uid } = process.container.security.credentials;
  return uid === 0 || uid === target.uid;
};

async function listSignals(process: Process, args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    for (const [name, number] of Object.entries(SIGNAL_NUMBERS))
      await process.stdout.write(`${String(number).padStart(2)}) ${name}\n`);
    return 0;
  }
  for (const text of args) {
    const number = Number(text) > 128 ? String(Number(text) - 128) : text;
    const name = signalName(number);
    if (name === undefined) return 1;
    await process.stdout.write(/^\d+$/.test(text) ? `${name}\n` : `${name === 'EXIT' ? 0 : SIGNAL_NUMBERS[name]}\n`);
  }
  return 0;
}

/** kill [-l] [-s SIGNAL|-SIGNAL] PID... */
export const kill: Program = async process => {
  const rest = process.args.slice(1);
  if (rest[0] === '-l') return listSignals(process, rest.slice(1));
  const name = takeSignal(rest);
  if (rest[0] === '--') rest.shift();
  const table = process.container.processes;
  let status = 0;
  for (const text of rest) {
    const number = Number(text);
    const targets =
      number === -1
        ? table.list().filter(entry => entry.pid !== process.pid && entry.pid !== 1)
        : [table.get(Math.abs(number))];
    for (const target of targets)
      if (target === undefined || name === undefined || !Number.isInteger(number)) {
        const why = name === undefined ? 'bad signal' : 'No such process';
        await process.stderr.write(
          Number.isInteger(number) ? `kill: can't kill pid ${text}: ${why}\n` : `kill: invalid number '${text}'\n`,
        );
        status = 1;
      } else if (!may(process, target)) {
        await process.stderr.write(`kill: can't kill pid ${text}: Operation not permitted\n`);
        status = 1;
        // Signal 0 (EXIT) only asks whether the process is there.
      } else if (name !== 'EXIT') target.kill(name);
  }
  return status;
};

/** killall [-lq] [-SIGNAL] NAME... */
export const killall: Program = async process => {
  const rest = process.args.slice(1);
  if (rest[0] === '-l') return listSignals(process, rest.slice(1));
  const quiet = rest[0] === '-q';
  if (quiet) rest.shift();
  const name = takeSignal(rest);
  let status = 0;
  for (const wanted of rest) {
    const targets = process.container.processes
      .list()
      .filter(entry => commOf(entry) === wanted && entry.pid !== process.pid);
    if (targets.length === 0) {
      if (!quiet) await process.stderr.write(`killall: ${wanted}: no process killed\n`);
      status = 1;
    }
    for (const target of targets) if (name !== undefined && name !== 'EXIT' && may(process, target)) target.kill(name);
  }
  return status;
};

/** pidof [-so] NAME... */
export const pidof: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'so:' });
  const found = process.container.processes
    .list()
    .filter(entry => operands.includes(commOf(entry)))
    .map(entry => entry.pid)
    .reverse();
  if (found.length === 0) return 1;
  await process.stdout.write(`${(has('s') ? found.slice(0, 1) : found).join(' ')}\n`);
  return 0;
};

async function matching(process: Process, args: readonly string[]): Promise<{ found: ProcessEntry[]; long: boolean }> {
  const { operands, has, get } = parseOptions(args, { short: 'flnovxs:P:u:' });
  const regex = compileRegex(operands[0] ?? '', { extended: true }, process.turn);
  const found: ProcessEntry[] = [];
  const parent = get('P');
  for (const entry of process.container.processes.list()) {
    if (entry.pid === process.pid) continue;
    if (parent !== undefined && entry.ppid !== Number(parent)) continue;
    const text = has('f') ? entry.args.join(' ') : commOf(entry);
    const match = await regex.exec(text);
    const hit = match !== undefined && (!has('x') || (match.start === 0 && match.end === text.length));
    if (hit !== has('v')) found.push(entry);
  }
  return { found: has('n') ? found.slice(-1) : has('o') ? found.slice(0, 1) : found, long: has('l') };
}

/** pgrep [-flnovx] [-P PPID] PATTERN */
export const pgrep: Program = async process => {
  const { found, long } = await matching(process, process.args.slice(1));
  for (const entry of found) await process.stdout.write(`${entry.pid}${long ? ` ${commOf(entry)}` : ''}\n`);
  return found.length > 0 ? 0 : 1;
};

/** pkill [-SIGNAL] [-fnovx] [-P PPID] PATTERN */
export const pkill: Program = async process => {
  const rest = process.args.slice(1);
  const isSignal = rest[0]?.startsWith('-') === true && signalName(rest[0].slice(1)) !== undefined;
  const name = isSignal ? takeSignal(rest) : 'TERM';
  const { found } = await matching(process, rest);
  for (const entry of found) if (name !== undefined && name !== 'EXIT' && may(process, entry)) entry.kill(name);
  return found.length > 0 ? 0 : 1;
};
