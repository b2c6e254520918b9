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
  const [client, peer] = [await freePort(), await freePort()];
  const at: Member = {
    name: 'one',
    url: `${secure.length === 0 ? 'http' : 'https'}://127.0.0.1:${client}`,
    peerUrl: `http://127.0.0.1:${peer}`,
  };
  const etcd = member(file, at, [at], secure);
  await etcd.start();
  return etcd;
}

/** Members of one etcd, of which each knows the others. */
export async function startEtcdMembers(file: string, count: number): Promise<RunningEtcd[]> {
  const all: Member[] = [];
  for (let i = 0; i < count; i++)
    all.push({
      name: `member-${i}`,
      url: `http://127.0.0.1:${await freePort()}`,
      peerUrl: `http://127.0.0.1:${await freePort()}`,
    });
  const members = all.map(at => member(file, at, all, []));
  // One alone serves nobody.
  await Promise.all(members.map(({ start }) => start()));
  return members;
}

interface Member {
  readonly name: string;
  readonly url: string;
  readonly peerUrl: string;
}

function member(
  file: string,
  { name, url, peerUrl }: Member,
  all: readonly Member[],
  secure: readonly string[],
): RunningEtcd {
  const folder = mkdtempSync(join(tmpdir(), 'etcd-'));
  const args = [
    ...['--name', name, '--data-dir', folder, '--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', all.map(other => `${other.name}=${other.peerUrl}`).join()],
    // Tests are about what is told, not about this machine's disk.
    ...['--unsafe-no-fsync', ...secure],
  ];
  let child: ChildProcess;
  let said = '';
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    said = '';
  };
  return {
    url,
    get process() {
      return child;
    },
    async start() {
      child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      child.stderr?.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4_000)));
      await until(`etcd serves: ${said}`, () => /ready to serve client requests/.test(said));
    },
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
