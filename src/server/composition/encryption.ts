import { hostname } from 'node:os';
import type { Catalog } from '../../api/catalog.js';
import type { KvStore } from '../../storage/kv-store.js';
import { createKeptStore } from '../encryption/kept-store.js';
import { createReloadMetrics, serverIdentity } from '../encryption/reload-metrics.js';
import { keepEncryptionReloaded } from '../encryption/reload.js';
import type { Family } from '../endpoints/metric-families.js';
import type { Settings } from './settings.js';

export interface ComposedEncryption {
  /** As the registries see it. */
  readonly store: KvStore;
  readonly families: readonly Family[];
  /** Whether what is encrypted how may change. */
  readonly reloads: boolean;
  /** Takes what changes into use until the signal. @param refresh looks at everything that is stored again */
  keepReloaded(refresh: () => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** The store, below which values are encrypted as the configuration says. @throws EncryptionConfigError */
export function composeEncryption(
  { store, encryption, encryptionFile: file, clock, log }: Settings,
  catalog: Pick<Catalog, 'entries'>,
): ComposedEncryption {
  const kept = createKeptStore(store, catalog, encryption);
  const metrics = createReloadMetrics(clock, serverIdentity(hostname()));
  return {
    store: kept.store,
    families: file === undefined ? [] : metrics.families,
    reloads: file !== undefined,
    async keepReloaded(refresh, signal) {
      if (file === undefined) return;
      await keepEncryptionReloaded({
        file,
        clock,
        log,
        signal,
        metrics,
        async use(transformers) {
          kept.use(transformers);
          await refresh();
        },
      });
    },
  };
}
