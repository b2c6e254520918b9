import { createHash } from 'node:crypto';
import type { Clock } from '../../machinery/clock.js';
import { counter, readGauge, type Family } from '../endpoints/metric-families.js';

/** What is told of the encryption configuration, under kube-apiserver's names (encryptionconfig/metrics). */
export interface ReloadMetrics {
  readonly families: readonly Family[];
  /** The configuration of this content's hash is in use. */
  inUse(hash: string): void;
  reloaded(status: 'success' | 'failure'): void;
}

const PREFIX = 'apiserver_encryption_config_controller_';

/** As kube-apiserver calls itself: by its host (pkg/controlplane/apiserver/config.go). */
export function serverIdentity(hostname: string): string {
  const bytes = createHash('sha256').update(hostname).digest().subarray(0, 16);
  let text = '';
  let [bits, count] = [0, 0];
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) text += BASE32[(bits >> (count - 5)) & 31] ?? '';
    bits &= (1 << count) - 1;
  }
  if (count > 0) text += BASE32[(bits << (5 - count)) & 31] ?? '';
  return `apiserver-${text}`;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export const contentHash = (content: string | Buffer): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** @param identity this server among others */
export function createReloadMetrics(clock: Pick<Clock, 'now'>, identity: string): ReloadMetrics {
  const id = contentHash(identity);
  const times = new Map<string, number>();
  let used: string | undefined;
  const reloads = counter(
    `${PREFIX}automatic_reloads_total`,
    'Total number of reload successes and failures of encryption configuration split by apiserver identity.',
  );
  return {
    families: [
      reloads,
      readGauge(
        `${PREFIX}automatic_reload_last_timestamp_seconds`,
        'Timestamp of the last successful or failed automatic reload of encryption configuration split by apiserver identity.',
        function* () {
          for (const [status, seconds] of times) yield [{ apiserver_id_hash: id, status }, seconds] as const;
        },
      ),
      readGauge(
        `${PREFIX}last_config_info`,
        'Information about the last applied encryption configuration with hash as label, split by apiserver identity.',
        function* () {
          if (used !== undefined) yield [{ apiserver_id_hash: id, hash: used }, 1] as const;
        },
      ),
    ],
    inUse(hash) {
      used = hash;
    },
    reloaded(status) {
      reloads.add({ apiserver_id_hash: id, status });
      times.set(status, clock.now() / 1000);
    },
  };
}
