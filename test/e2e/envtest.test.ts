import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually, freePort, KUBETTE, run } from '../support/up.js';

t.setTimeout(120_000);

/** Where kits look, as they get it. */
const ASSETS = execFileSync(process.execPath, [KUBETTE, 'envtest'], { encoding: 'utf8' }).trim();
const TOKEN = 'admin-token';

/** A folder with what kits make before they start anything. */
function kitFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-envtest-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'tokens'), `${TOKEN},admin,1,"system:masters"\n`);
  return folder;
}

interface Program {
  readonly child: ChildProcess;
  stderr(): string;
  /** Ends it as kits do; resolves with its exit code. */
  stop(): Promise<number | null>;
}

function launch(t: Test, file: string, args: readonly string[]): Program {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', chunk => (stderr += String(chunk)));
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
  const stop = (): Promise<number | null> => (child.kill('SIGTERM'), ended);
  t.teardown(stop);
  return { child, stderr: () => stderr, stop };
}

const etcdArgs = (folder: string, port: number): string[] => [
  `--data-dir=${join(folder, 'etcd')}`,
  `--listen-client-urls=http://127.0.0.1:${port}`,
  `--advertise-client-urls=http://127.0.0.1:${port}`,
  `--listen-peer-urls=http://127.0.0.1:0`,
  '--unsafe-no-fsync=true',
];

const apiServerArgs = (folder: string, etcd: number, port: number): string[] => [
  `--cert-dir=${join(folder, 'certs')}`,
  `--etcd-servers=http://127.0.0.1:${etcd}`,
  `--service-account-key-file=${join(folder, 'sa.pub')}`,
  `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
  `--service-account-issuer=https://127.0.0.1:${port}/`,
  `--token-auth-file=${join(folder, 'tokens')}`,
  '--allow-privileged=true',
  '--authorization-mode=RBAC',
  '--bind-address=127.0.0.1',
  '--disable-admission-plugins=ServiceAccount',
  '--insecure-port=0',
  '--service-cluster-ip-range=10.0.0.0/24',
  `--secure-port=${port}`,
];

interface Said {
  readonly code: number;
  readonly body: string;
}

const NOBODY: Said = { code: 0, body: '' };

function call(port: number, method: string, path: string, ca: string, body?: object): Promise<Said> {
  return new Promise(resolve => {
    const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
    const sent = request({ host: '127.0.0.1', port, path, method, headers, ca, agent: false }, response => {
      let text = '';
      response.on('data', chunk => (text += String(chunk)));
      response.once('end', () => resolve({ code: response.statusCode ?? 0, body: text }));
    });
    sent.once('error', () => resolve(NOBODY));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const configMap = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const MAPS = '/api/v1/namespaces/default/configmaps';

t.test('what was stored is there after a stop and a start; another prefix is another store', async t => {
  const folder = kitFolder();
  const etcdPort = await freePort();
  const etcd = launch(t, join(ASSETS, 'etcd'), etcdArgs(folder, etcdPort));
  const start = async (
    ...more: string[]
  ): Promise<{ server: Program; ask: (method: string, path: string, body?: object) => Promise<Said> }> => {
    const port = await freePort();
    const server = launch(t, join(ASSETS, 'kube-apiserver'), [...apiServerArgs(folder, etcdPort, port), ...more]);
    // Made by the server, as --cert-dir had none.
    const ca = (): string => readFileSync(join(folder, 'certs/apiserver.crt'), 'utf8');
    const ask = (method: string, path: string, body?: object): Promise<Said> => call(port, method, path, ca(), body);
    const health = async (): Promise<string> => {
      try {
        return (await ask('GET', '/healthz')).body;
      } catch {
        // The certificate is not written yet.
        return '';
      }
    };
    await eventually('the API server', health, body => body === 'ok');
    return { server, ask };
  };
  const first = await start();
  t.equal((await first.ask('POST', MAPS, configMap('kept'))).code, 201);
  const account = await first.ask('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', { spec: {} });
  t.equal(account.code, 404, 'ServiceAccounts are left to a controller');
  t.equal(await first.server.stop(), 0);

  const second = await start();
  t.equal((await second.ask('GET', `${MAPS}/kept`)).code, 200);
  const beside = await start('--etcd-prefix=/other', '--goaway-chance=0.5');
  t.equal((await beside.ask('GET', `${MAPS}/kept`)).code, 404);
  t.equal(beside.server.stderr(), 'kube-apiserver: --goaway-chance has no effect: the server speaks HTTP/1.1\n');
  t.equal(second.server.stderr(), '', 'kits say nothing that is not heard');
  for (const program of [beside.server, second.server, etcd]) t.equal(await program.stop(), 0);
  t.equal(etcd.stderr(), '');
});

t.test('what cannot be served is one line and an exit code', async t => {
  const folder = kitFolder();
  const stranger = createServer((_request, response) => response.end('{}'));
  await new Promise<void>(listening => stranger.listen(0, '127.0.0.1', listening));
  t.teardown(() => stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const args = apiServerArgs(folder, port, await freePort());
  const without = (flag: string): string[] => args.filter(arg => !arg.startsWith(`--${flag}=`));
  const cases = [
    {
      args,
      error: `--etcd-servers: http://127.0.0.1:${port} is not the etcd of "kubette envtest": no other store is supported`,
    },
    { args: without('etcd-servers'), error: '--etcd-servers must be specified' },
    {
      args: without('service-account-issuer'),
      error: '--service-account-signing-key-file and --service-account-issuer are required flags',
    },
    {
      args: [...args, '--oidc-ca-file=x'],
      error: '--oidc-ca-file is not supported: users are known by certificate, token file and ServiceAccount token',
    },
    { args: [...args, '--nonsense'], error: 'unknown flag: --nonsense' },
    {
      args: [...args, '--insecure-port=8080'],
      error: '--insecure-port is not supported: Invalid value: it can only be 0',
    },
    {
      args: [...args, `--service-account-signing-key-file=${join(folder, 'sa.pub')}`],
      error: /^kubette kube-apiserver: --service-account-signing-key-file: failed to parse /,
    },
  ];
  for (const { args: given, error } of cases) {
    const { code, stderr, stdout } = await run(join(ASSETS, 'kube-apiserver'), given);
    t.match({ code, stdout }, { code: 1, stdout: '' });
    if (typeof error === 'string') t.equal(stderr, `kubette kube-apiserver: ${error}\n`);
    else t.match(stderr, error);
  }
});

t.test('kubectl is the one on the PATH, and its absence is said by name', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-envtest-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/kubectl'), '#!/bin/sh\necho "real $*"\n');
  chmodSync(join(folder, 'bin/kubectl'), 0o755);
  symlinkSync(join(ASSETS, 'kubectl'), join(folder, 'kubectl'));
  const kubectl = join(ASSETS, 'kubectl');
  const found = await run(kubectl, ['get', 'pods'], { env: { PATH: `${ASSETS}:${folder}/bin` } });
  t.match(found, { code: 0, stdout: 'real get pods\n' });
  const none = await run(kubectl, [], { env: { PATH: ASSETS } });
  t.match(none, { code: 127, stderr: /^kubectl: none on the PATH; / });
  const linked = await run(join(folder, 'kubectl'), ['version'], { env: { PATH: `${folder}:${folder}/bin` } });
  t.match(linked, { code: 0, stdout: 'real version\n' });
});
