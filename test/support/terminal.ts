import { spawn, spawnSync } from 'node:child_process';
import { eventually } from './up.js';

/** A program at a pseudo-terminal, and who types at it. */
export interface Terminal {
  type(text: string): void;
  /** What has been printed since the last time this was asked for, as soon as it holds the pattern. */
  shows(pattern: RegExp): Promise<string>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  kill(): void;
}

const PYTHON = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", sys.argv[1]])))';

/** What can make pseudo-terminals here: util-linux's script, or Python. */
const MAKERS: readonly (readonly [name: string, args: (command: string) => string[]])[] = [
  ['script', command => ['-qec', command, '/dev/null']],
  ['python3', command => ['-c', PYTHON, command]],
];

const isThere = (name: string): boolean => spawnSync(name, ['--version']).status === 0;

/** undefined: nothing on this machine makes a pseudo-terminal. */
export function openTerminal(
  command: string,
  size: { readonly rows: number; readonly columns: number },
  env: Readonly<Record<string, string>>,
): Terminal | undefined {
  const maker = MAKERS.find(([name]) => isThere(name));
  if (maker === undefined) return undefined;
  const [name, args] = maker;
  const sized = `stty rows ${size.rows} cols ${size.columns}; exec ${command}`;
  const child = spawn(name, args(sized), { env: { ...process.env, TERM: 'xterm', ...env } });
  let printed = '';
  child.stdout.on('data', chunk => (printed += String(chunk)));
  child.stderr.on('data', chunk => (printed += String(chunk)));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  return {
    type: text => void child.stdin.write(text),
    async shows(pattern) {
      const found = await eventually(
        String(pattern),
        () => Promise.resolve(printed),
        text => pattern.test(text),
      );
      printed = '';
      return found;
    },
    ended,
    kill: () => void child.kill('SIGKILL'),
  };
}
