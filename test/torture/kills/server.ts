import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { loadKubeConfig, type ClientConfig } from '../../../src/client/kubeconfig.js';
import { freePort, KUBETTE } from '../../support/up.js';

/** An API server as a process, which is killed and started again on the same folder and port. */
export interface Victim {
  readonly dataDir: string;
  readonly pid: number;
  /** All that it has printed to stderr, over all its lives. */
  problems(): string;
  /** Starts it. Resolves when it serves. @throws when it ends instead */
  start(): Promise<void>;
  /** Begins a start that will not be let to its end. */
  begin(): void;
  /** SIGSTOP, or SIGCONT. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** kill -9. Resolves when it is gone. */
  kill(): Promise<void>;
  config(): Promise<ClientConfig>;
}

export async function createVictim(dataDir: string, args: readonly string[] = []): Promise<Victim> {
  const port = String(await freePort());
  let child: ChildProcess | undefined;
  let serving = Promise.resolve();
  let problems = '';
  const begin = (): void => {
    const started = spawn(
      process.execPath,
      [KUBETTE, 'apiserver', '--data-dir', dataDir, '--secure-port', port, '--exit-with-parent', ...args],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    child = started;
    started.stderr.on('data', chunk => (problems += String(chunk)));
    serving = new Promise((resolve, reject) => {
      started.stdout.on('data', chunk => {
        if (String(chunk).includes('serving on')) resolve();
      });
      started.once('exit', code => reject(new Error(`the API server ended with ${String(code)}: ${problems}`)));
    });
    serving.catch(() => undefined);
  };
  return {
    dataDir,
    get pid() {
      return child?.pid ?? 0;
    },
    problems: () => problems,
    begin,
    async start() {
      begin();
      await serving;
    },
    signal: name => void child?.kill(name),
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    config: () => loadKubeConfig(join(dataDir, 'kubeconfig')),
  };
}
