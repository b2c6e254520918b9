import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { realClock } from '../../src/machinery/clock.js';
import { seededRandom } from '../../src/machinery/random.js';
import { openEtcdStore, type EtcdStoreOptions } from '../../src/storage/etcd/etcd-store.js';
import type { KvStore } from '../../src/storage/kv-store.js';
import { until } from './until.js';
import { freePort } from './up.js';

/** An etcd of this machine: Debian's, and those that `KUBETTE_TEST_ETCDS` names. */
export interface EtcdBinary {
  readonly file: string;
  readonly version: string;
}

/** What there is to test with; none on a machine without etcd. */
export function etcdBinaries(): EtcdBinary[] {
  const files = ['etcd', ...(process.env['KUBETTE_TEST_ETCDS'] ?? '').split(',').filter(file => file !== '')];
  return files.flatMap(file => {
    const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
    const version = /etcd Version: (\S+)/.exec(stdout ?? '')?.[1];
    return version === undefined ? [] : [{ file, version }];
  });
}

export interface RunningEtcd {
  readonly url: string;
  readonly process: ChildProcess;
  /** Starts it again where it was, with what it had. */
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** `secure`: flags for TLS; its URL is https then. */
export async function startEtcd(file: string, secure: readonly string[] = []): Promise<RunningEtcd> {
  const folder = mkdtempSync(join(tmpdir(), 'etcd-'));
  const [client, peer] = [await freePort(), await freePort()];
  const url = `${secure.length === 0 ? 'http' : 'https'}://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const args = [
    ...['--name', 'one', '--data-dir', folder, '--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    // Tests are about what is told, not about this machine's disk.
    ...['--initial-cluster', `one=${peerUrl}`, '--unsafe-no-fsync', ...secure],
  ];
  let child: ChildProcess;
  let said = '';
  const start = async (): Promise<void> => {
    child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4_000)));
    await until(`etcd serves: ${said}`, () => /ready to serve client requests/.test(said));
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    said = '';
  };
  await start();
  return {
    url,
    get process() {
      return child;
    },
    start,
    kill,
    async close() {
      await kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let stores = 0;

/** A store of its own in an etcd that others use as well: what was before counts as compacted. */
export async function freshStore(url: string, more: Partial<EtcdStoreOptions> = {}): Promise<KvStore> {
  const store = await openEtcdStore({
    ...{ servers: [url], tls: {}, clock: realClock, random: seededRandom(1).number },
    ...{ prefix: `/test-${stores++}`, replaces: '', onProblem: () => undefined },
    ...more,
  });
  await store.compact(store.observed());
  return store;
}
