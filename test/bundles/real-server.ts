import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '../support/up.js';
import { api, type Api } from './api.js';

export interface RunningServer {
  readonly api: Api;
  stop(): Promise<void>;
}

/** kube-apiserver of UPSTREAM_BIN with the etcd of the PATH; undefined where there is none. */
export async function startRealServer(): Promise<RunningServer | undefined> {
  const bin = process.env['UPSTREAM_BIN'];
  const program = join(bin ?? '', 'kube-apiserver');
  if (bin === undefined || !existsSync(program)) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'kube-apiserver-'));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = join(dir, 'sa.key');
  writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const token = 'admin-token';
  writeFileSync(join(dir, 'tokens.csv'), `${token},admin,admin-uid,"system:masters"\n`);
  const [clients, peers, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${clients}`;
  const children: ChildProcess[] = [
    spawn('etcd', [
      ...['--data-dir', join(dir, 'etcd'), '--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
      ...['--listen-peer-urls', `http://127.0.0.1:${peers}`, '--unsafe-no-fsync', '--log-level', 'error'],
    ]),
    spawn(program, [
      ...['--etcd-servers', etcdUrl, '--cert-dir', join(dir, 'certs'), '--secure-port', String(port)],
      ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-key-file', key],
      ...['--service-account-signing-key-file', key, '--token-auth-file', join(dir, 'tokens.csv')],
      ...['--authorization-mode', 'RBAC', '--service-cluster-ip-range', '10.96.0.0/16', '--bind-address', '127.0.0.1'],
    ]),
  ];
  const server = api(port, token);
  const stop = async (): Promise<void> => {
    for (const child of children.reverse())
      await new Promise(resolve => {
        if (child.exitCode !== null) return resolve(undefined);
        child.once('exit', resolve);
        child.kill('SIGKILL');
      });
    server.close();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await eventually(
      'kube-apiserver to be ready',
      () => server.ask('GET', '/readyz').catch(() => ({ status: 0, text: '' })),
      ({ status }) => status === 200,
      120_000,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { api: server, stop };
}
