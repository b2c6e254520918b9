import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.js';

export { ROOT };
export const KUBETTE = join(ROOT, 'build/dist/kubette.js');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string; timeoutMs?: number; cwd?: string } = {},
): Promise<Finished> {
  return new Promise(resolve => {
    const child = execFile(
      command,
      args,
      {
        env: { ...process.env, ...options.env },
        timeout: options.timeoutMs ?? 60_000,
        maxBuffer: 64 << 20,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr }),
    );
    // A program may end without reading what it is given.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** Between two questions: soon at first, then a part of what it has taken already, as most questions are a process each. */
const PAUSE_MS = { least: 50, most: 1_000 };
const PART_OF_THE_TIME = 1 / 4;

/** How long to wait before asking again, after so long. */
export const pauseAfter = (passedMs: number): number =>
  Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, passedMs * PART_OF_THE_TIME));

/** Asks again and again until `holds` gives something; fails with what it gave last. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  holds: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const began = Date.now();
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    const passed = Date.now() - began;
    if (passed > timeoutMs)
      throw new Error(`${what}: not within ${timeoutMs} ms; last seen: ${JSON.stringify(value).slice(0, 4_000)}`);
    await new Promise(resolve => setTimeout(resolve, pauseAfter(passed)));
  }
}

export interface RunningUp {
  readonly dataDir: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Where this machine reaches the first node's ports: another cluster may have 127.0.0.1. */
  nodeAddress(): string;
  kubectl(...args: string[]): Promise<Finished>;
  kubectlWith(options: { input?: string; timeoutMs?: number }, ...args: string[]): Promise<Finished>;
  /** kubectl that must succeed: its stdout. */
  ok(...args: string[]): Promise<string>;
  /** The child processes: name → pid. */
  pids(): Promise<Map<string, number>>;
  /** Ends with SIGINT, as Ctrl-C does. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface UpOptions {
  readonly dataDir?: string;
  readonly args?: readonly string[];
  /** How long it may take until it is ready. Default: a minute. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `kubette up` as a process and waits for "ready in". */
export async function startUp(options: UpOptions = {}): Promise<RunningUp> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'kubette-e2e-'));
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [KUBETTE, 'up', '--data-dir', dataDir, '--secure-port', String(port), ...(options.args ?? [])],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    },
  );
  let output = '';
  child.stdout.on('data', chunk => (output += String(chunk)));
  child.stderr.on('data', chunk => (output += String(chunk)));
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  const kubectlWith: RunningUp['kubectlWith'] = (how, ...args) =>
    run('kubectl', args, { ...how, env: { KUBECONFIG: join(dataDir, 'kubeconfig'), HOME: dataDir } });
  const up: RunningUp = {
    dataDir,
    port,
    process: child,
    output: () => output,
    nodeAddress() {
      const address = /Ready, node ports on (\S+)/.exec(output)?.[1];
      if (address === undefined) throw new Error(`no node has said where it is reached:\n${output}`);
      return address;
    },
    kubectlWith,
    kubectl: (...args) => kubectlWith({}, ...args),
    async ok(...args) {
      const { code, stdout, stderr } = await kubectlWith({}, ...args);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit ${String(code)}\n${stdout}${stderr}`);
      return stdout;
    },
    async pids() {
      const { stdout } = await run('ps', ['-o', 'pid=,args=', '--ppid', String(child.pid)]);
      const found = new Map<string, number>();
      for (const line of stdout.split('\n')) {
        const match = /^\s*(\d+) .*kubette\.js (\S+)(.*)$/.exec(line);
        if (match?.[1] === undefined || match[2] === undefined) continue;
        const node = /--node-name[ =](\S+)/.exec(match[3] ?? '')?.[1];
        found.set(node === undefined ? match[2] : `${match[2]} ${node}`, Number(match[1]));
      }
      return found;
    },
    stop() {
      child.kill('SIGINT');
      return exited;
    },
  };
  await eventually(
    'kubette up to be ready',
    async () => ({ output, code: child.exitCode }),
    ({ output, code }) => /ready in \d+ ms/.test(output) || code !== null,
    options.timeoutMs ?? 60_000,
  ).catch((error: unknown) => {
    child.kill('SIGTERM');
    throw error;
  });
  if (child.exitCode !== null) throw new Error(`kubette up exited with ${child.exitCode}:\n${output}`);
  return up;
}

/** Starts `kubette apiserver` alone and waits until it serves. */
export async function startApiServer(args: readonly string[]): Promise<{ port: number; stop: () => Promise<unknown> }> {
  const port = await freePort();
  const child = spawn(process.execPath, [KUBETTE, 'apiserver', '--secure-port', String(port), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', chunk => (output += String(chunk)));
  const exited = new Promise(resolve => child.once('exit', resolve));
  await eventually(
    'kubette apiserver to serve',
    async () => ({ output, code: child.exitCode }),
    ({ output, code }) => output.includes('serving on') || code !== null,
  );
  if (child.exitCode !== null) throw new Error(`kubette apiserver exited with ${child.exitCode}`);
  return {
    port,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
