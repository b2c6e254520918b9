import { resolvePath } from '../file-system.js';
import { evaluateArithmetic } from './arithmetic.js';
import { SIGNAL_NUMBERS } from '../process.js';
import { signalName } from '../signals.js';
import { assignVariable, runProgram, runText } from './interpreter.js';
import { deadline, DeadlineExceeded } from '../programs/deadline.js';
import { parseOptions } from '../programs/options.js';
import { seekableInput, type LineInput } from './line-input.js';
import {
  environmentOf,
  FunctionReturn,
  LoopControl,
  ShellExit,
  type Shell,
  type ShellOptions,
  type Streams,
} from './state.js';

/** A command that works on the shell itself. */
export type Builtin = (
  shell: Shell,
  args: readonly string[],
  streams: Streams,
  /** The shell has nothing more to do. */
  last: boolean,
) => Promise<number>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const OPTIONS: Readonly<Record<string, keyof ShellOptions>> = { e: 'errexit', u: 'nounset', x: 'xtrace' };
const quote = (value: string): string => `'${value.replaceAll("'", `'"'"'`)}'`;

const numeric = (shell: Shell, text: string | undefined): number =>
  text === undefined ? shell.status : /^\d+$/.test(text) ? Number(text) & 255 : 2;

const complain = async (shell: Shell, streams: Streams, text: string, status = 1): Promise<number> => {
  await streams.stderr.write(`${shell.name}: ${text}\n`);
  return status;
};

const assign = (shell: Shell, args: readonly string[], each: (name: string) => void): string | undefined => {
  for (const arg of args) {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg : arg.slice(0, equals);
    if (!NAME.test(name)) return name;
    each(name);
    if (equals >= 0) assignVariable(shell, name, arg.slice(equals + 1));
  }
  return undefined;
};

const set: Builtin = async (shell, args, streams) => {
  if (args.length === 0) {
    for (const [name, value] of [...shell.variables].sort()) await streams.stdout.write(`${name}=${quote(value)}\n`);
    return 0;
  }
  const rest = [...args];
  for (let arg = rest[0]; arg !== undefined && /^[-+]/.test(arg) && arg !== '-'; arg = rest[0]) {
    rest.shift();
    if (arg === '--') break;
    const on = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      const option = letter === 'o' ? (rest.shift() as keyof ShellOptions | undefined) : OPTIONS[letter];
      if (option === undefined || !(option in shell.options)) {
        // Options that change nothing here: a script that sets them runs all the same.
        if ('abfhmnCv'.includes(letter)) continue;
        return complain(shell, streams, `set: illegal option ${arg}`, 2);
      }
      shell.options[option] = on;
    }
  }
  if (rest.length > 0 || args.includes('--')) shell.positional = rest;
  return 0;
};

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

const wait: Builtin = async (shell, args, streams) => {
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
  void streams;
  return status;
};

/** read [-r] [-p PROMPT] [-t SECONDS] [-n CHARACTERS] [-d DELIMITER] [-s] NAME... */
const read: Builtin = async (shell, args, streams) => {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(args, { short: 'rsp:t:n:d:u:', stopAtOperand: true });
  } catch (error) {
    return complain(shell, streams, `read: ${(error as Error).message}`, 2);
  }
  const names = options.operands.length === 0 ? ['REPLY'] : [...options.operands];
  const { process } = shell;
  const prompt = options.get('p');
  if (prompt !== undefined && process.tty) await streams.stderr.write(prompt);
  const fd = Number(options.get('u') ?? 0);
  const from = fd === 0 ? streams.stdin : streams.others?.get(fd);
  if (from === undefined || !('read' in from)) return complain(shell, streams, `read: ${fd}: Bad file descriptor`, 2);
  const seconds = options.get('t');
  const limit = deadline(
    process.container.clock,
    seconds === undefined ? Infinity : Number(seconds) * 1000,
    process.signal,
  );
  const stop = (): void => limit.cancel();
  let held = 0;
  const hold = (bytes: number): void => {
    held += bytes;
    process.memory.add(bytes);
  };
  let line: Awaited<ReturnType<LineInput['readLine']>>;
  try {
    const signal = shell.interrupted === undefined ? limit.signal : AbortSignal.any([limit.signal, shell.interrupted]);
    const delimiter = options.get('d');
    line = await seekableInput(from).readLine(
      signal,
      hold,
      delimiter === undefined ? 10 : (Buffer.from(delimiter)[0] ?? 0),
    );
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    return 1;
  } finally {
    stop();
    process.memory.remove(held);
  }
  const count = options.get('n');
  const text = (line?.text ?? '').slice(0, count === undefined ? undefined : Number(count));
  const cleaned = options.has('r') ? text : text.replace(/\\(.)/g, '$1');
  const ifs = shell.variables.get('IFS') ?? ' \t\n';
  const isBlank = (c: string | undefined): boolean =>
    c !== undefined && c !== '' && ' \t\n'.includes(c) && ifs.includes(c);
  let at = 0;
  const skip = (): void => {
    while (isBlank(cleaned[at])) at++;
  };
  skip();
  names.forEach((name, i) => {
    let end = at;
    if (i === names.length - 1) {
      end = cleaned.length;
      while (end > at && isBlank(cleaned[end - 1])) end--;
    } else while (end < cleaned.length && !ifs.includes(cleaned[end] ?? '')) end++;
    assignVariable(shell, name, cleaned.slice(at, end));
    at = end;
    skip();
    if (at < cleaned.length && ifs.includes(cleaned[at] ?? ' ') && !isBlank(cleaned[at]) && i < names.length - 1) {
      at++;
      skip();
    }
  });
  return line?.complete === true || (count !== undefined && text !== '') ? 0 : 1;
};

const cd: Builtin = async (shell, args, streams) => {
  const [target = shell.variables.get('HOME') ?? '/'] = args;
  const path = target === '-' ? (shell.variables.get('OLDPWD') ?? shell.cwd) : resolvePath(shell.cwd, target);
  const kind = shell.process.container.files.kind(path);
  if (kind !== 'directory')
    return complain(
      shell,
      streams,
      `cd: can't cd to ${target}: ${kind === undefined ? 'No such file or directory' : 'Not a directory'}`,
    );
  shell.variables.set('OLDPWD', shell.cwd);
  shell.variables.set('PWD', path);
  shell.cwd = path;
  return 0;
};

const command: Builtin = async (shell, args, streams) => {
  if (args[0] !== '-v' && args[0] !== '-V') return args.length === 0 ? 0 : runProgram(shell, args, new Map(), streams);
  let status = 0;
  for (const name of args.slice(1)) {
    if (builtins.has(name) || shell.functions.has(name)) await streams.stdout.write(`${name}\n`);
    else if ((await shell.process.container.program(name)) !== undefined) await streams.stdout.write(`/bin/${name}\n`);
    else status = 127;
  }
  return status;
};

/** With arguments; without any the interpreter itself changes the shell's files. */
const exec: Builtin = async (shell, args, streams) => {
  shell.traps.clear();
  throw new ShellExit(await runProgram(shell, args, new Map(), streams, true));
};

const loopControl =
  (kind: 'break' | 'continue'): Builtin =>
  async (shell, [count]) => {
    if (shell.loops === 0) return 0;
    throw new LoopControl(kind, Math.max(1, numeric(shell, count ?? '1')));
  };

const source: Builtin = async (shell, [file = '', ...args], streams) => {
  const { files } = shell.process.container;
  const path = resolvePath(shell.cwd, file);
  if (files.kind(path) === undefined)
    return complain(shell, streams, `.: can't open '${file}': No such file or directory`, 2);
  const text = (await files.read(path)).toString('utf8');
  const { positional } = shell;
  if (args.length > 0) shell.positional = args;
  try {
    return await runText(shell, text, streams);
  } catch (error) {
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  } finally {
    shell.positional = positional;
  }
};

/**
 * A program that shells have built in: it runs in the shell's own process, so that a broken pipe ends the shell and
 * not just one command of an endless loop.
 */
const inside =
  (name: string): Builtin =>
  async (shell, args, streams) => {
    const { process, cwd } = shell;
    const program = await process.container.program(name);
    if (program !== undefined)
      return program({ ...process, ...streams, args: [name, ...args], env: environmentOf(shell), cwd });
    return complain(shell, streams, `${name}: not found`, 127);
  };

/** POSIX getopts, with OPTIND and OPTARG. */
async function getopts(shell: Shell, args: readonly string[], streams: Streams): Promise<number> {
  const [spec = '', name = 'opt', ...given] = args;
  const words = given.length > 0 ? given : shell.positional;
  const silent = spec.startsWith(':');
  let index = Math.max(1, Number(shell.variables.get('OPTIND') ?? '1'));
  // Where in a word of several letters it stands is kept behind the index, out of sight of scripts.
  let letter = Number(shell.variables.get(' OPTPOS') ?? '1');
  const word = words[index - 1];
  const finish = (value: string, argument: string | undefined): void => {
    assignVariable(shell, name, value);
    if (argument === undefined) shell.variables.delete('OPTARG');
    else shell.variables.set('OPTARG', argument);
    shell.variables.set('OPTIND', String(index));
    shell.variables.set(' OPTPOS', String(letter));
  };
  if (word === undefined || !word.startsWith('-') || word === '-' || word === '--') {
    if (word === '--') index++;
    letter = 1;
    finish('?', undefined);
    return 1;
  }
  const option = word[letter] ?? '';
  const at = option === ':' ? -1 : spec.indexOf(option);
  const isLast = letter >= word.length - 1;
  const next = (): void => {
    if (isLast) {
      index++;
      letter = 1;
    } else letter++;
  };
  if (at < 0) {
    next();
    finish('?', silent ? option : undefined);
    if (!silent) await streams.stderr.write(`${shell.name}: illegal option -${option}\n`);
    return 0;
  }
  if (spec[at + 1] !== ':') {
    next();
    finish(option, undefined);
    return 0;
  }
  const argument = isLast ? words[index] : word.slice(letter + 1);
  index += isLast ? 2 : 1;
  letter = 1;
  if (argument !== undefined) finish(option, argument);
  else {
    finish(silent ? ':' : '?', silent ? option : undefined);
    if (!silent) await streams.stderr.write(`${shell.name}: no arg for -${option} option\n`);
  }
  return 0;
}

export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ...['echo', 'printf', 'test', '[', '[[', 'kill'].map((name): [string, Builtin] => [name, inside(name)]),
  [':', async () => 0],
  ['true', async () => 0],
  ['false', async () => 1],
  [
    'exit',
    async (shell, [status]) => {
      throw new ShellExit(numeric(shell, status));
    },
  ],
  [
    'return',
    async (shell, [status]) => {
      throw new FunctionReturn(numeric(shell, status));
    },
  ],
  ['break', loopControl('break')],
  ['continue', loopControl('continue')],
  ['cd', cd],
  ['pwd', async (shell, _args, { stdout }) => (await stdout.write(`${shell.cwd}\n`), 0)],
  ['set', set],
  ['trap', trap],
  ['wait', wait],
  ['read', read],
  ['command', command],
  ['exec', exec],
  ['.', source],
  ['source', source],
  ['eval', async (shell, args, streams) => runText(shell, args.join(' '), streams)],
  [
    'export',
    async (shell, args, streams) => {
      const names = args.filter(arg => arg !== '-p');
      if (names.length === 0)
        for (const name of [...shell.exported].sort())
          await streams.stdout.write(`export ${name}=${quote(shell.variables.get(name) ?? '')}\n`);
      const bad = assign(shell, names, name => shell.exported.add(name));
      return bad === undefined ? 0 : complain(shell, streams, `export: ${bad}: bad variable name`);
    },
  ],
  [
    'local',
    async (shell, args, streams) => {
      if (shell.locals === undefined) return complain(shell, streams, 'local: not in a function');
      const { locals } = shell;
      const bad = assign(shell, args, name => {
        if (!locals.has(name)) locals.set(name, shell.variables.get(name));
        if (!shell.variables.has(name)) shell.variables.set(name, '');
      });
      return bad === undefined ? 0 : complain(shell, streams, `local: ${bad}: bad variable name`);
    },
  ],
  [
    'readonly',
    async (shell, args, streams) => {
      const names = args.filter(arg => arg !== '-p');
      const bad = assign(shell, names, () => undefined);
      if (bad !== undefined) return complain(shell, streams, `readonly: ${bad}: bad variable name`);
      for (const name of names) shell.readonly.add(name.split('=')[0] ?? '');
      return 0;
    },
  ],
  [
    'unset',
    async (shell, args, streams) => {
      for (const name of args.filter(arg => !arg.startsWith('-'))) {
        if (shell.readonly.has(name)) return complain(shell, streams, `unset: ${name}: is read only`, 2);
        shell.variables.delete(name);
        shell.exported.delete(name);
        if (args[0] === '-f') shell.functions.delete(name);
      }
      return 0;
    },
  ],
  [
    'shift',
    async (shell, [count = '1']) => {
      if (Number(count) > shell.positional.length) return 1;
      shell.positional = shell.positional.slice(Number(count));
      return 0;
    },
  ],
  [
    'jobs',
    async (shell, _args, { stdout }) => {
      for (const pid of shell.jobs.keys()) await stdout.write(`[${pid}]+  Running\n`);
      return 0;
    },
  ],
  [
    'umask',
    async (shell, [mode], streams) => {
      if (mode === undefined) {
        await streams.stdout.write(`${shell.umask.toString(8).padStart(4, '0')}\n`);
        return 0;
      }
      if (!/^[0-7]{1,4}$/.test(mode)) return complain(shell, streams, `umask: invalid mode: ${mode}`);
      shell.umask = parseInt(mode, 8) & 0o777;
      return 0;
    },
  ],
  [
    'let',
    async (shell, args) => {
      let value = 0n;
      const variables = {
        get: (name: string) => shell.variables.get(name),
        set: (name: string, text: string) => assignVariable(shell, name, text),
      };
      for (const text of args) value = evaluateArithmetic(text, variables);
      return value === 0n ? 1 : 0;
    },
  ],
  ['getopts', async (shell, args, streams) => getopts(shell, args, streams)],
  ['alias', async () => 0],
  ['unalias', async () => 0],
  ['hash', async () => 0],
  ['times', async (_shell, _args, { stdout }) => (await stdout.write('0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n'), 0)],
  [
    'ulimit',
    async (_shell, args, { stdout }) => {
      if (args.every(arg => arg.startsWith('-'))) await stdout.write('unlimited\n');
      return 0;
    },
  ],
  ['bg', async (shell, _args, streams) => complain(shell, streams, 'bg: no job control in this shell', 2)],
  [
    'fg',
    async (shell, args, streams) => {
      const id = args[0] === undefined ? [...shell.jobs.keys()].at(-1) : Number(args[0].replace('%', ''));
      const job = id === undefined ? undefined : shell.jobs.get(id);
      if (job === undefined) return complain(shell, streams, 'fg: no current job', 2);
      return wait(shell, [String(job.pid)], streams, false);
    },
  ],
  [
    'type',
    async (shell, names, { stdout, stderr }) => {
      let status = 0;
      for (const name of names)
        if (shell.functions.has(name)) await stdout.write(`${name} is a function\n`);
        else if (builtins.has(name)) await stdout.write(`${name} is a shell builtin\n`);
        else if ((await shell.process.container.program(name)) !== undefined)
          await stdout.write(`${name} is /bin/${name}\n`);
        else {
          await stderr.write(`${name}: not found\n`);
          status = 127;
        }
      return status;
    },
  ],
]);
