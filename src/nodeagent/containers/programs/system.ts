import { signalName } from '../shell/builtins.js';
import type { Process, Program } from '../process.js';
import { spawn } from '../spawn.js';
import { parseOptions } from './options.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 };

/** "1.5", "10m", "infinity" to milliseconds; undefined when it is no duration. */
function duration(text: string): number | undefined {
  if (/^inf(inity)?$/i.test(text)) return Infinity;
  const parsed = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(text);
  return parsed === null ? undefined : Number(parsed[1]) * (UNITS[parsed[2] ?? ''] ?? 1) * 1000;
}

const forever = (process: Process): Promise<never> =>
  new Promise((_, reject) => {
    const end = (): void => reject(process.signal.reason as Error);
    if (process.signal.aborted) end();
    else process.signal.addEventListener('abort', end, { once: true });
  });

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

export const pause: Program = process => forever(process);

/** Runs a program by name with the caller's streams. */
async function runOther(
  process: Process,
  args: readonly string[],
  env = process.env,
  parent = process.signal,
): Promise<number> {
  const [name = ''] = args;
  const program = await process.container.program(name.slice(name.lastIndexOf('/') + 1));
  if (program === undefined) {
    await process.stderr.write(`${process.args[0] ?? ''}: can't execute '${name}': No such file or directory\n`);
    return 127;
  }
  const { stdin, stdout, stderr, cwd } = process;
  return spawn(process.container, { args, program, env, cwd, stdin, stdout, stderr, tty: process.tty, parent }).exited;
}

export const env: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'iu:0', stopAtOperand: true });
  const environment: Record<string, string> = options.has('i') ? {} : { ...process.env };
  for (const name of options.all('u')) delete environment[name];
  const rest = [...options.operands];
  for (let next = rest[0]; next?.includes('=') === true; next = rest[0]) {
    const at = next.indexOf('=');
    environment[next.slice(0, at)] = next.slice(at + 1);
    rest.shift();
  }
  if (rest.length > 0) return runOther(process, rest, environment);
  for (const [name, value] of Object.entries(environment)) await process.stdout.write(`${name}=${value}\n`);
  return 0;
};

export const printenv: Program = async process => {
  const names = process.args.slice(1);
  if (names.length === 0) return env({ ...process, args: ['env'] });
  let status = 0;
  for (const name of names) {
    const value = process.env[name];
    if (value === undefined) status = 1;
    else await process.stdout.write(`${value}\n`);
  }
  return status;
};

export const timeout: Program = async process => {
  const { operands } = parseOptions(process.args.slice(1), { short: 's:k:t:', stopAtOperand: true });
  const [limit = '', ...args] = operands;
  const ms = duration(limit);
  if (ms === undefined || args.length === 0) {
    await process.stderr.write('timeout: usage: timeout SECS PROG ARGS\n');
    return 1;
  }
  const life = new AbortController();
  const follow = (): void => life.abort(process.signal.reason);
  process.signal.addEventListener('abort', follow, { once: true });
  let late = false;
  const { Killed } = await import('../process.js');
  const cancel = process.container.clock.after(ms, () => {
    late = true;
    life.abort(new Killed('TERM'));
  });
  try {
    const status = await runOther(process, args, process.env, life.signal);
    return late ? 143 : status;
  } finally {
    cancel();
    process.signal.removeEventListener('abort', follow);
  }
};

export const xargs: Program = async process => {
  const { operands, get } = parseOptions(process.args.slice(1), { short: 'n:I:rt', stopAtOperand: true });
  const { readAll } = await import('../io.js');
  const text = (await readAll(process.stdin, process.signal)).toString('utf8');
  const replace = get('I');
  const command = operands.length === 0 ? ['echo'] : operands;
  const items = (replace === undefined ? text.split(/\s+/) : text.split('\n')).filter(item => item !== '');
  const size = Number(get('n') ?? (replace === undefined ? Math.max(1, items.length) : 1));
  let status = 0;
  for (let i = 0; i < items.length; i += size) {
    const group = items.slice(i, i + size);
    const args =
      replace === undefined ? [...command, ...group] : command.map(c => c.replaceAll(replace, group[0] ?? ''));
    if ((await runOther(process, args)) !== 0) status = 123;
  }
  return status;
};

/** The canonical name of this host: the first one of its line in /etc/hosts; its own name when there is none. */
async function fullName({ hostname: name, files }: Process['container']): Promise<string> {
  const lines = (await files.read('/etc/hosts')).toString('utf8').split('\n');
  const entries = lines.map(line => (line.split('#', 1)[0] ?? '').split(/\s/).filter(word => word !== ''));
  return entries.find(([, ...names]) => names.includes(name))?.[1] ?? name;
}

/** hostname [-f | -d | -s | -i] */
export const hostname: Program = async process => {
  const { hostname: name, pod } = process.container;
  const { has } = parseOptions(process.args.slice(1), { short: 'fdsiIA' });
  const show = async (text: string): Promise<number> => (await process.stdout.write(`${text}\n`), 0);
  if (has('i') || has('I')) return show(pod.ip);
  if (has('f') || has('A')) return show(await fullName(process.container));
  if (has('d')) {
    const full = await fullName(process.container);
    return show(full.includes('.') ? full.slice(full.indexOf('.') + 1) : '');
  }
  return show(has('s') ? (name.split('.', 1)[0] ?? '') : name);
};

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export const date: Program = async process => {
  const now = process.container.clock.now();
  const time = new Date(now);
  const two = (n: number): string => String(n).padStart(2, '0');
  const fields: Readonly<Record<string, string>> = {
    Y: String(time.getUTCFullYear()),
    m: two(time.getUTCMonth() + 1),
    d: two(time.getUTCDate()),
    e: String(time.getUTCDate()).padStart(2),
    H: two(time.getUTCHours()),
    M: two(time.getUTCMinutes()),
    S: two(time.getUTCSeconds()),
    s: String(Math.floor(now / 1000)),
    N: String((now % 1000) * 1_000_000).padStart(9, '0'),
    F: time.toISOString().slice(0, 10),
    T: time.toISOString().slice(11, 19),
    a: DAYS[time.getUTCDay()] ?? '',
    b: MONTHS[time.getUTCMonth()] ?? '',
    Z: 'UTC',
    z: '+0000',
    n: '\n',
    '%': '%',
  };
  const format = process.args.find(arg => arg.startsWith('+'))?.slice(1) ?? '%a %b %e %H:%M:%S %Z %Y';
  await process.stdout.write(`${format.replace(/%([a-zA-Z%])/g, (match, key: string) => fields[key] ?? match)}\n`);
  return 0;
};

export const id: Program = async process => {
  const { has } = parseOptions(process.args.slice(1), { short: 'ugGnr' });
  const { uid, gid, groups } = process.container.security.credentials;
  const named = (number: number): string => (number === 0 ? `${number}(root)` : String(number));
  const plain = (number: number): string => (has('n') && number === 0 ? 'root' : String(number));
  const all = [gid, ...groups.filter(group => group !== gid)];
  const text = has('u')
    ? plain(uid)
    : has('g')
      ? plain(gid)
      : has('G')
        ? all.map(plain).join(' ')
        : `uid=${named(uid)} gid=${named(gid)} groups=${all.map(named).join(',')}`;
  await process.stdout.write(`${text}\n`);
  return 0;
};

export const whoami: Program = async process => {
  const { uid } = process.container.security.credentials;
  if (uid === 0) return (await process.stdout.write('root\n'), 0);
  await process.stderr.write(`whoami: unknown uid ${uid}\n`);
  return 1;
};

/** sysctl [-n] NAME...: those of the Pod's own namespaces. */
export const sysctl: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'ne' });
  let status = 0;
  for (const given of operands) {
    const name = given.replace(/\//g, '.');
    const value = process.container.security.sysctls[name];
    if (value !== undefined) await process.stdout.write(has('n') ? `${value}\n` : `${name} = ${value}\n`);
    else {
      await process.stderr.write(`sysctl: error: '${name}' is an unknown key\n`);
      status = 1;
    }
  }
  return status;
};

/** mount [-t TYPE]: lists what the runtime mounts in every container. */
export const mount: Program = async process => {
  const { operands, get } = parseOptions(process.args.slice(1), { short: 't:o:' });
  if (operands.length > 0) {
    await process.stderr.write('mount: permission denied (are you root?)\n');
    return 1;
  }
  const type = get('t');
  const mounts = [
    ['overlay', '/', 'overlay', 'rw,relatime'],
    ['proc', '/proc', 'proc', 'rw,nosuid,nodev,noexec,relatime'],
    ['tmpfs', '/dev', 'tmpfs', 'rw,nosuid,size=65536k,mode=755'],
    ['sysfs', '/sys', 'sysfs', 'ro,nosuid,nodev,noexec,relatime'],
    ['cgroup', '/sys/fs/cgroup', 'cgroup2', 'ro,nosuid,nodev,noexec,relatime'],
  ] as const;
  for (const [device, at, kind, options] of mounts)
    if (type === undefined || type === kind)
      await process.stdout.write(`${device} on ${at} type ${kind} (${options})\n`);
  return 0;
};

export const uname: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'asnrvmo' });
  const machine =
    process.container.pod.nodeName === '' ? 'x86_64' : globalThis.process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const all: readonly (readonly [string, string])[] = [
    ['s', 'Linux'],
    ['n', process.container.hostname],
    ['r', '6.1.0-kubette'],
    ['v', '#1 SMP'],
    ['m', machine],
    ['o', 'Linux'],
  ];
  const some = all.some(([letter]) => options.has(letter));
  const shown = all.filter(([letter]) => options.has('a') || options.has(letter) || (!some && letter === 's'));
  await process.stdout.write(`${shown.map(([, value]) => value).join(' ')}\n`);
  return 0;
};

export const kill: Program = async process => {
  const rest = process.args.slice(1);
  let name: ReturnType<typeof signalName> = 'TERM';
  if (rest[0] === '-s') {
    rest.shift();
    name = signalName(rest.shift() ?? '');
  } else if (rest[0]?.startsWith('-') === true) name = signalName((rest.shift() ?? '').slice(1));
  let status = 0;
  for (const text of rest) {
    const target = process.container.processes.get(Number(text));
    if (target === undefined || name === undefined) {
      await process.stderr.write(
        `kill: can't kill pid ${text}: ${name === undefined ? 'bad signal' : 'No such process'}\n`,
      );
      status = 1;
      // Signal 0 (EXIT) only asks whether the process is there.
    } else if (name !== 'EXIT') target.kill(name);
  }
  return status;
};

export const ps: Program = async process => {
  await process.stdout.write('PID   USER     TIME  COMMAND\n');
  for (const { pid, args } of process.container.processes.list())
    await process.stdout.write(`${String(pid).padStart(5)} root      0:00 ${args.join(' ')}\n`);
  return 0;
};

export const which: Program = async process => {
  let status = 0;
  for (const name of process.args.slice(1)) {
    if ((await process.container.program(name)) === undefined) status = 1;
    else await process.stdout.write(`/usr/bin/${name}\n`);
  }
  return status;
};

export const pwd: Program = async process => (await process.stdout.write(`${process.cwd}\n`), 0);
export const nproc: Program = async process => (await process.stdout.write('1\n'), 0);
export const succeed: Program = async () => 0;
export const fail: Program = async () => 1;

export const ping: Program = async process => {
  await process.stderr.write('ping: ICMP is not simulated by this network: only TCP and UDP are\n');
  return 1;
};
