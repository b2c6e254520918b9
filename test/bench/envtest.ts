import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../src/machinery/clock.js';
import { freePort, KUBETTE } from '../support/up.js';
import { ms, quantile, type Row } from './table.js';

const STARTS = 5;

const answers = (url: string): Promise<boolean> =>
  new Promise(resolve => {
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    const asked = get(url, { rejectUnauthorized: false, agent: false }, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once('error', () => resolve(false));
  });

async function ready(url: string): Promise<number> {
  const begun = performance.now();
  while (!(await answers(url))) await realClock.sleep(2);
  return performance.now() - begun;
}

const gone = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });

/** What a test kit waits for before its first test, started as envtest does it. */
export async function envtest(): Promise<Row[]> {
  const assets = execFileSync(process.execPath, [KUBETTE, 'envtest'], { encoding: 'utf8' }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'kubette-bench-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [signing, verifying] = [join(folder, 'sa.key'), join(folder, 'sa.pub')];
  writeFileSync(signing, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(verifying, publicKey.export({ type: 'spki', format: 'pem' }));
  const took: { etcd: number[]; apiServer: number[] } = { etcd: [], apiServer: [] };
  for (let i = 0; i < STARTS; i++) {
    const [etcdPort, port] = [await freePort(), await freePort()];
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const etcdFlags = [
      `--data-dir=${join(folder, `etcd-${i}`)}`,
      `--listen-client-urls=${etcdUrl}`,
      '--unsafe-no-fsync',
    ];
    const etcd = spawn(join(assets, 'etcd'), etcdFlags, { stdio: 'inherit' });
    took.etcd.push(await ready(`${etcdUrl}/health`));
    const flags = [
      `--cert-dir=${join(folder, 'certs')}`,
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${port}`,
      `--service-account-issuer=https://127.0.0.1:${port}/`,
      `--service-account-key-file=${verifying}`,
      `--service-account-signing-key-file=${signing}`,
      '--authorization-mode=RBAC',
      '--bind-address=127.0.0.1',
      '--disable-admission-plugins=ServiceAccount',
      '--service-cluster-ip-range=10.0.0.0/24',
    ];
    const server = spawn(join(assets, 'kube-apiserver'), flags, { stdio: 'inherit' });
    took.apiServer.push(await ready(`https://127.0.0.1:${port}/healthz`));
    await Promise.all([gone(server), gone(etcd)]);
  }
  const goal = 'goal: under 500 ms';
  return [
    { what: `envtest: etcd healthy, median of ${STARTS}`, value: ms(quantile(took.etcd, 0.5)), goal },
    { what: `envtest: kube-apiserver healthy, median of ${STARTS}`, value: ms(quantile(took.apiServer, 0.5)), goal },
  ];
}
