import { realClock } from '../machinery/clock.js';
import { startApiServer } from '../cluster/api-server.js';
import { ensureDataFolder } from '../cluster/data-folder.js';
import { lockFolder } from '../cluster/folder-lock.js';
import { ADMIN, COMPONENTS, ensureKubeconfig, ensureNodeCredentials } from '../cluster/keys/kubeconfig.js';
import { ensurePki } from '../cluster/keys/pki.js';
import { firstServiceAddresses } from '../server/service-range.js';
import { apiServerSettings, text, type Flags } from './apiserver-settings.js';
import { frontProxyFlags } from './front-proxy-flags.js';
import { createLogger } from './logger.js';
import { onParentGone } from './parent.js';
import { fail, signalOnTermination, untilAborted } from './process.js';
import { openStore } from './store-flags.js';

/** Serves until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runApiServer(flags: Flags, newServiceAccountKey: () => Promise<string>): Promise<void> {
  const signal = flags['exitWithParent'] === true ? withParent(signalOnTermination()) : signalOnTermination();
  const log = await createLogger('apiserver', { level: text(flags, 'v'), format: text(flags, 'loggingFormat') });
  try {
    const dataDir = text(flags, 'dataDir');
    const settings = await apiServerSettings(flags, log);
    const { serviceClusterIpRange, advertiseAddress, bindAddress } = settings;
    await ensureDataFolder(dataDir);
    const lock = flags['folderLocked'] === true ? undefined : await lockFolder(dataDir);
    const store = await openStore(flags, log);
    const pki = await ensurePki(dataDir, {
      clock: realClock,
      newServiceAccountKey,
      serverNames: [...firstServiceAddresses(serviceClusterIpRange), advertiseAddress, bindAddress],
    });
    const server = await startApiServer({ ...settings, store, pki, log, ...(await frontProxyFlags(flags, pki)) });
    const { url } = server;
    await lock?.serving(url);
    // Whoever has the folder writes these: two who do would make each certificate twice.
    if (lock !== undefined)
      for (const identity of [ADMIN, ...COMPONENTS]) await ensureKubeconfig(dataDir, pki, identity, url);
    for (const node of text(flags, 'nodeCredentials')
      .split(',')
      .filter(name => name !== ''))
      await ensureNodeCredentials(dataDir, pki, url, node, ['127.0.0.1']);
    if (flags['quiet'] !== true) process.stdout.write(`serving on ${url}\n`);
    await untilAborted(signal);
    await server.close();
    process.exit(0);
  } catch (error) {
    fail('apiserver', error);
  }
}

/** Aborts when the parent process is gone, too. */
function withParent(terminated: AbortSignal): AbortSignal {
  const gone = new AbortController();
  onParentGone(realClock, () => gone.abort(new Error('the parent process is gone')));
  return AbortSignal.any([terminated, gone.signal]);
}
