import type { Logger } from '../machinery/logger.js';
import { realClock } from '../machinery/clock.js';
import { openEtcd, openFolderStore, openMemoryStore, STORAGE_DRIVERS, type EtcdOptions } from '../cluster/store.js';
import type { KvStore } from '../storage/kv-store.js';
import { ETCD_FLAGS } from './add-etcd-flags.js';
import { checkTls, fileFlag, text, type Flags } from './apiserver-settings.js';
import { FlagError, flagOf, invalidArgument } from './process.js';

/** @throws FlagError */
export function checkDriver(driver: string): void {
  if (STORAGE_DRIVERS.includes(driver)) return;
  const [last = '', ...others] = STORAGE_DRIVERS.toReversed();
  throw invalidArgument('storage', driver, `want ${others.toReversed().join(', ')} or ${last}`);
}

/** A list of URLs: paths and users are nothing that etcd knows. @throws FlagError */
export function serversFlag(value: string): string[] {
  const isServer = (given: string): boolean =>
    URL.canParse(given) &&
    /^https?:$/.test(new URL(given).protocol) &&
    given.replace(/\/$/, '') === new URL(given).origin;
  const servers = value.split(',').map(server => server.trim());
  if (servers.every(isServer)) return servers.map(server => new URL(server).origin);
  throw invalidArgument('etcd-servers', value, 'want a list of URLs such as https://127.0.0.1:2379');
}

/** What is said of an etcd that nobody asks. @throws FlagError */
export function refuseEtcdFlags(flags: Flags): void {
  for (const name of ETCD_FLAGS)
    if (flags[name] !== undefined)
      throw new FlagError(`--${flagOf(name)} is for --storage etcd, not ${text(flags, 'storage')}`);
}

/** What is said of a folder, where there is none. @throws FlagError */
export function refuseDataLoss(flags: Flags): void {
  if (flags['acceptDataLoss'] === true)
    throw new FlagError('--accept-data-loss is about a store in a folder: etcd repairs its own');
}

/** What is said of the etcd to use. @throws FlagError */
export async function etcdFlags(flags: Flags): Promise<EtcdOptions> {
  if (text(flags, 'etcdServers') === '') throw new FlagError('--etcd-servers must be specified with --storage etcd');
  const servers = serversFlag(text(flags, 'etcdServers'));
  const [ca, cert, key] = await Promise.all([
    fileFlag('etcd-cafile', text(flags, 'etcdCafile')),
    fileFlag('etcd-certfile', text(flags, 'etcdCertfile')),
    fileFlag('etcd-keyfile', text(flags, 'etcdKeyfile')),
  ]);
  if ((cert === undefined) !== (key === undefined))
    throw new FlagError('--etcd-certfile and --etcd-keyfile go together');
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
  if (Object.keys(tls).length > 0 && servers.some(server => server.startsWith('http:')))
    throw new FlagError('--etcd-cafile, --etcd-certfile and --etcd-keyfile are for servers at https:// URLs');
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----'))
    throw new FlagError(`--etcd-cafile: ${text(flags, 'etcdCafile')} holds no certificate`);
  checkTls('etcd-cafile, --etcd-certfile and --etcd-keyfile', tls);
  return { servers, tls, prefix: text(flags, 'etcdPrefix') || '/registry' };
}

/** The store that an API server is told to keep things in. @throws FlagError, StorageError */
export async function openStore(flags: Flags, log: Logger): Promise<KvStore> {
  const driver = text(flags, 'storage');
  checkDriver(driver);
  if (driver === 'etcd') {
    refuseDataLoss(flags);
    return openEtcd(await etcdFlags(flags), realClock, problem => log.warn({ problem }, 'the connection to etcd'));
  }
  refuseEtcdFlags(flags);
  if (driver === 'memory') return openMemoryStore(realClock);
  const acceptDataLoss = (loss: string): void => void process.stderr.write(`kubette apiserver: ${loss}\n`);
  return openFolderStore(text(flags, 'dataDir'), {
    clock: realClock,
    ...(flags['acceptDataLoss'] === true ? { acceptDataLoss } : {}),
  });
}
