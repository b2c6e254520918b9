import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKubeConfig } from '../../src/client/kubeconfig.js';
import { createClient, type RestClient } from '../../src/client/rest-client.js';
import { realClock } from '../../src/machinery/clock.js';
import { freePort, KUBETTE } from '../support/up.js';

export interface BenchServer {
  readonly pid: number;
  readonly port: number;
  readonly dataDir: string;
  /** Milliseconds from the start of the process to its first answer. */
  readonly took: number;
  readonly client: RestClient;
  stop(): Promise<void>;
}

export const benchFolder = (): string => mkdtempSync(join(tmpdir(), 'kubette-bench-'));

/** Starts an API server as a process of its own. A folder that is given again has its keys, and what is stored. */
export async function startBenchServer(dataDir: string, args: readonly string[]): Promise<BenchServer> {
  const port = await freePort();
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [KUBETTE, 'apiserver', '--data-dir', dataDir, '--secure-port', String(port), '--quiet', ...args],
    { stdio: 'inherit' },
  );
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  for (;;) {
    try {
      const client = createClient(await loadKubeConfig(join(dataDir, 'kubeconfig')), 'bench');
      await client.request('GET', '/version');
      return {
        pid: child.pid ?? 0,
        port,
        dataDir,
        took: performance.now() - begun,
        client,
        stop: () => (client.close(), child.kill('SIGTERM'), gone),
      };
    } catch (error) {
      if (child.exitCode !== null) throw error;
      await realClock.sleep(5);
    }
  }
}
