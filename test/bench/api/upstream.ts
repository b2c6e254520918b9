import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/up.js';
import { benchFolder } from '../api-server.js';
import { endpointOf } from './endpoint.js';
import { TOKEN, TOKENS } from './kubette.js';
import type { Server, Target } from './target.js';
import { untilReady } from './until-ready.js';

/** etcd's own limit is below what the rows with large objects store. */
const QUOTA_BYTES = 8 * 1024 ** 3;

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** etcd, which syncs every write, and kube-apiserver over it, with their own defaults but for what they must be told. */
async function startUpstream(bin: string, folder: string): Promise<Server> {
  const key = join(folder, 'sa.key');
  if (!existsSync(key)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  }
  writeFileSync(join(folder, 'tokens.csv'), TOKENS);
  const [clients, peers, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${clients}`;
  const log = openSync(join(folder, 'log'), 'a');
  const stdio = ['ignore', log, log] as const;
  const begun = performance.now();
  const etcd = spawn(
    join(bin, 'etcd'),
    [
      ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
      ...['--listen-peer-urls', `http://127.0.0.1:${peers}`, '--log-level', 'error'],
      ...['--quota-backend-bytes', String(QUOTA_BYTES)],
    ],
    { stdio: [...stdio] },
  );
  const server = spawn(
    join(bin, 'kube-apiserver'),
    [
      ...['--etcd-servers', etcdUrl, '--cert-dir', join(folder, 'certs'), '--secure-port', String(port)],
      ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-key-file', key],
      ...['--service-account-signing-key-file', key, '--token-auth-file', join(folder, 'tokens.csv')],
      ...['--authorization-mode', 'Node,RBAC', '--service-cluster-ip-range', '10.96.0.0/16'],
      ...['--bind-address', '127.0.0.1'],
    ],
    { stdio: [...stdio] },
  );
  const killBoth = (): void => [server, etcd].forEach(child => void child.kill('SIGKILL'));
  process.once('exit', killBoth);
  const endpoint = endpointOf(`https://127.0.0.1:${port}`, { token: TOKEN });
  await untilReady(endpoint, () => hasEnded(etcd) || hasEnded(server));
  return {
    endpoint,
    pids: [server.pid ?? 0, etcd.pid ?? 0],
    tookMs: performance.now() - begun,
    async stop() {
      for (const child of [server, etcd]) {
        if (hasEnded(child)) continue;
        const gone = new Promise(resolve => child.once('exit', resolve));
        child.kill('SIGTERM');
        await gone;
      }
      process.off('exit', killBoth);
    },
  };
}

/** What is found in the folder KUBE_BIN; undefined where there is nothing. */
export async function upstream(bin: string): Promise<Target | undefined> {
  if (!['kube-apiserver', 'etcd'].every(program => existsSync(join(bin, program)))) return undefined;
  const start = (folder: string): Promise<Server> => startUpstream(bin, folder);
  return { name: 'kube-apiserver', server: await start(benchFolder()), start };
}
