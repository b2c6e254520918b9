import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import { createWorkQueue } from '../../machinery/work-queue.js';
import { parseEncryptionConfiguration } from './configuration.js';
import { contentHash, type ReloadMetrics } from './reload-metrics.js';
import { createTransformers, type TransformerFor } from './transformers.js';

/** The file of --encryption-provider-config. */
export interface EncryptionFile {
  readonly path: string;
  /** Its content at the start. */
  readonly content: string;
  /** Its content now. @throws Error */
  read(): Promise<string>;
}

export interface ReloadOptions {
  readonly file: EncryptionFile;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ReloadMetrics;
  readonly signal: AbortSignal;
  /** Takes another configuration into use, and looks at everything again by it. */
  use(transformers: TransformerFor): Promise<void>;
}

const EVERY_MS = 60_000;
/** How soon a file that cannot be used is looked at again, and how late in the end. */
const RETRY_MS = 5;
const MAX_RETRY_MS = 1_000_000;

/**
 * Looks at the file every minute, and takes what has changed in it into use. While it is wrong, what was there before
 * stays (k8s.io/apiserver pkg/server/options/encryptionconfig/controller). Runs until the signal.
 */
export async function keepEncryptionReloaded(options: ReloadOptions): Promise<void> {
  const { file, clock, log, metrics, signal } = options;
  const queue = createWorkQueue({ clock, baseDelayMs: RETRY_MS, maxDelayMs: MAX_RETRY_MS });
  let used = contentHash(file.content);
  metrics.inUse(used);

  const reconcile = async (path: string): Promise<void> => {
    const content = await file.read();
    const hash = contentHash(content);
    if (hash === used) return;
    const transformers = createTransformers(parseEncryptionConfiguration(path, content));
    await options.use(transformers);
    used = hash;
    metrics.reloaded('success');
    metrics.inUse(hash);
    log.info({ file: path }, 'another encryption configuration is in use');
  };
  const failed = (path: string, error: Error): void => {
    metrics.reloaded('failure');
    log.error({ file: path, error: error.message }, 'the encryption configuration could not be read again');
  };
  const looking = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(EVERY_MS, signal);
      queue.add(file.path);
    }
  };
  await Promise.all([
    queue.run(1, reconcile, failed, signal),
    looking().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    }),
  ]);
}
