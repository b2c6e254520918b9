import { createServer, type AddressInfo } from 'node:net';
import { HOST } from '../../cluster/addresses.js';
import type { Flags } from '../clusters/which.js';
import { FlagError, flagOf, integerFlag } from '../process.js';
import { checkDriver, etcdFlags, refuseDataLoss, refuseEtcdFlags } from '../store-flags.js';
import { etcdInPath, type OwnEtcd } from './etcd.js';

/** How many there are of what a cluster has one of otherwise, and what they share. */
export interface ControlPlane {
  /** Where several API servers listen, behind a balancer; empty: there is one, at the cluster's port. */
  readonly apiServerPorts: readonly number[];
  readonly controllerManagers: number;
  /** Started here; undefined: the store is another, or somebody else's. */
  readonly etcd: OwnEtcd | undefined;
}

const MOST = 9;
const LOCAL_ONLY = ['etcdCafile', 'etcdCertfile', 'etcdKeyfile'];

const textOf = (flags: Flags, name: string): string => String(flags[name] ?? '');

/** @throws FlagError */
export async function controlPlaneFrom(flags: Flags, path: string): Promise<ControlPlane> {
  const storage = textOf(flags, 'storage');
  checkDriver(storage);
  const apiServers = integerFlag('apiservers', textOf(flags, 'apiservers'), 1, MOST);
  const controllerManagers = integerFlag('controller-managers', textOf(flags, 'controllerManagers'), 1, MOST);
  if (storage !== 'etcd') {
    refuseEtcdFlags(flags);
    if (apiServers > 1)
      throw new FlagError(`--apiservers ${apiServers} wants --storage etcd: ${storage} is for one server`);
  }
  return {
    apiServerPorts: apiServers === 1 ? [] : await freePorts(apiServers),
    controllerManagers,
    etcd: storage === 'etcd' ? await ownEtcd(flags, path) : undefined,
  };
}

async function ownEtcd(flags: Flags, path: string): Promise<OwnEtcd | undefined> {
  refuseDataLoss(flags);
  if (textOf(flags, 'etcdServers') !== '') {
    await etcdFlags(flags);
    return undefined;
  }
  for (const name of LOCAL_ONLY)
    if (flags[name] !== undefined) throw new FlagError(`--${flagOf(name)} goes with --etcd-servers`);
  const file = await etcdInPath(path);
  if (file === undefined)
    throw new FlagError('--storage etcd wants --etcd-servers, or an etcd in $PATH that it can start itself');
  const [port = 0, peerPort = 0] = await freePorts(2);
  return { file, port, peerPort };
}

/** Ports of loopback that are free, none of them twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, HOST, resolve));
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  for (const server of servers) await new Promise(resolve => server.close(resolve));
  return ports;
}
