import { resolvePath } from '../file-system.js';
import { SIGNAL_NUMBERS, type SignalName } from '../process.js';
import { runProgram, runText } from './interpreter.js';
import { seekableInput } from './line-input.js';
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
  hasRedirections: boolean,
) => Promise<number>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const OPTIONS: Readonly<Record<string, keyof ShellOptions>> = { e: 'errexit', u: 'nounset', x: 'xtrace' };

const numeric = (shell: Shell, text: string | undefined): number =>
  text === undefined ? shell.status : /^\d+$/.test(text) ? Number(text) & 255 : 2;

/** "TERM", "SIGTERM" or "15" to a name. */
export function signalName(text: string): SignalName | 'EXIT' | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (name === 'EXIT' || name === '0') return 'EXIT';
  if (name in SIGNAL_NUMBERS) return name as SignalName;
  return (Object.keys(SIGNAL_NUMBERS) as SignalName[]).find(known => String(SIGNAL_NUMBERS[known]) === name);
}

const complain = async (shell: Shell, streams: Streams, text: string, status = 1): Promise<number> => {
  await streams.stderr.write(`${shell.name}: ${text}\n`);
  return status;
};

const assign = (shell: Shell, args: readonly string[], each: (name: string) => void): string | undefined => {
  for (const arg of args) {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg : arg.slice(0, equals);
    if (!NAME.test(name)) return name;
    if (equals >= 0) shell.variables.set(name, arg.slice(equals + 1));
    each(name);
  }
  return undefined;
};

const set: Builtin = async (shell, args, streams) => {
  if (args.length === 0) {
    for (const [name, value] of [...shell.variables].sort()) await streams.stdout.write(`${name}='${value}'\n`);
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
    const outcome = await Promise.race([job.exited, interrupted]);
    shell.process.signal.throwIfAborted();
    if (outcome === 'signal') return 128 + SIGNAL_NUMBERS[shell.caught[0] ?? 'TERM'];
    shell.jobs.delete(id);
    status = ids.length === 0 ? 0 : outcome;
  }
  void streams;
  return status;
};

const read: Builtin = async (shell, args, streams) => {
  const names = args.filter(arg => !arg.startsWith('-'));
  if (names.length === 0) names.push('REPLY');
  const line = await seekableInput(streams.stdin).readLine(shell.process.signal);
  const text = line?.text ?? '';
  const cleaned = args.includes('-r') ? text : text.replace(/\\(.)/g, '$1');
  const ifs = shell.variables.get('IFS') ?? ' \t\n';
  const blanks = [...ifs].filter(c => ' \t\n'.includes(c)).join('');
  const trim = (value: string): string =>
    blanks === '' ? value : value.replace(new RegExp(`^[${blanks}]+|[${blanks}]+$`, 'g'), '');
  let rest = trim(cleaned);
  names.forEach((name, i) => {
    const at = [...rest].findIndex(c => ifs.includes(c));
    if (i === names.length - 1 || at < 0) {
      shell.variables.set(name, rest);
      rest = '';
    } else {
      shell.variables.set(name, rest.slice(0, at));
      rest = trim(rest.slice(at + 1));
    }
  });
  return line?.complete === true ? 0 : 1;
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

const exec: Builtin = async (shell, args, streams, hasRedirections) => {
  if (args.length > 0)
    throw new ShellExit(await runProgram(shell, args, new Map(Object.entries(environmentOf(shell))), streams));
  if (hasRedirections) return complain(shell, streams, 'exec: redirecting the shell itself is not supported', 2);
  return 0;
};

const loopControl =
  (kind: 'break' | 'continue'): Builtin =>
  async (shell, [count]) => {
    if (shell.loops === 0) return 0;
    throw new LoopControl(kind, Math.max(1, numeric(shell, count ?? '1')));
  };

const source: Builtin = async (shell, [file = '', ...args], streams) => {
  const text = (await shell.process.container.files.read(resolvePath(shell.cwd, file))).toString('utf8');
  const { positional } = shell;
  if (args.length > 0) shell.positional = args;
  try {
    return await runText(shell, text, streams);
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

export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ...['echo', 'printf', 'test', '[', 'kill'].map((name): [string, Builtin] => [name, inside(name)]),
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
          await streams.stdout.write(`export ${name}='${shell.variables.get(name) ?? ''}'\n`);
      const bad = assign(shell, names, name => shell.exported.add(name));
      return bad === undefined ? 0 : complain(shell, streams, `export: ${bad}: bad variable name`);
    },
  ],
  [
    'local',
    async (shell, args, streams) => {
      const bad = assign(shell, args, name => {
        if (!shell.variables.has(name)) shell.variables.set(name, '');
      });
      return bad === undefined ? 0 : complain(shell, streams, `local: ${bad}: bad variable name`);
    },
  ],
  ['readonly', async (shell, args) => (assign(shell, args, () => undefined), 0)],
  [
    'unset',
    async (shell, args) => {
      for (const name of args.filter(arg => !arg.startsWith('-'))) {
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
  ['umask', async () => 0],
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
