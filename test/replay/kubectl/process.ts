import { spawn } from 'node:child_process';

export interface Process {
  readonly output: { stdout: string; stderr: string };
  /** Exit code, or "signal NAME"; undefined while it runs. */
  readonly exit: number | string | undefined;
  readonly ended: Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

export interface Launch {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin?: string | undefined;
  readonly timeoutMs: number;
}

/** Text beginning with "[replay" in stderr is ours. */
export function launch(command: string, args: readonly string[], { env, cwd, stdin, timeoutMs }: Launch): Process {
  const child = spawn(command, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  let exit: number | string | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // It may end without reading what it is given.
  child.stdin.on('error', () => undefined).end(stdin ?? '');
  const timer = setTimeout(() => {
    output.stderr += `[replay: no end within ${timeoutMs} ms]\n`;
    child.kill('SIGKILL');
  }, timeoutMs);
  const ended = new Promise<void>(resolve => {
    child.on('error', error => (output.stderr += `[replay: ${error.message}]\n`));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      exit = code ?? `signal ${signal}`;
      resolve();
    });
  });
  return {
    output,
    ended,
    get exit() {
      return exit;
    },
    kill: signal => void child.kill(signal),
  };
}
