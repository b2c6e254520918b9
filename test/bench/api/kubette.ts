import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort, KUBETTE } from '../../support/up.js';
import { benchFolder } from '../api-server.js';
import { endpointOf } from './endpoint.js';
import type { Lag, Server, Target } from './target.js';
import { untilReady } from './until-ready.js';

/** Of an administrator, for all servers that the suite starts. */
export const TOKEN = 'bench-token';
export const TOKENS = `${TOKEN},admin,admin-uid,"system:masters"\n`;

/** More flags of node, e.g. NODE_FLAGS='--cpu-prof --cpu-prof-dir=/tmp/profiles'. */
const nodeFlags = (): string[] => (process.env['NODE_FLAGS'] ?? '').split(' ').filter(flag => flag !== '');

/** This repository's API server, with a store that keeps everything. */
export async function startKubette(folder: string): Promise<Server> {
  writeFileSync(join(folder, 'tokens.csv'), TOKENS);
  const port = await freePort();
  const lagSocket = join(folder, `lag-${port}`);
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...[
        '--import',
        join(import.meta.dirname, 'lag-probe.js'),
        ...nodeFlags(),
        KUBETTE,
        'apiserver',
        '--quiet',
        '--exit-with-parent',
      ],
      ...['--data-dir', folder, '--secure-port', String(port), '--token-auth-file', join(folder, 'tokens.csv')],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, LAG_SOCKET: lagSocket } },
  );
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const endpoint = endpointOf(`https://127.0.0.1:${port}`, { token: TOKEN });
  await untilReady(endpoint, () => child.exitCode !== null);
  return {
    endpoint,
    pids: [child.pid ?? 0],
    tookMs: performance.now() - begun,
    lag: async () => JSON.parse(await text(connect(lagSocket))) as Lag,
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export const kubette = async (): Promise<Target> => ({
  name: 'Kubette',
  server: await startKubette(benchFolder()),
  start: startKubette,
});
