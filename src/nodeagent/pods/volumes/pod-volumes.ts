import type { PodDependencies } from '../dependencies.js';
import type { PodAddresses } from '../field-ref.js';
import type { PodEvents } from '../pod-events.js';
import type { ReadonlyPod } from '../types.js';
import { ClaimNotReadyError, MountError } from './mount-error.js';
import type { SetUpVolumes } from './set-up-volume.js';
import { hasRefreshable, refreshVolumeContent, setUpVolumes } from './set-up-volumes.js';

/** The volumes of one Pod over its life. */
export interface PodVolumes {
  /** Undefined until they are set up. */
  readonly mounted: SetUpVolumes | undefined;
  /** Sets them up unless they are, or it is too early to try again. False: not yet. */
  ensure(podIPs: readonly string[]): Promise<boolean>;
  /** Brings changed ConfigMaps, Secrets and metadata into them. */
  refresh(): Promise<void>;
  /** No more refreshing. */
  stop(): void;
}

/** The kubelet's sync period, which is how long a changed ConfigMap takes to show in a volume. */
const REFRESH_MS = 60_000;
const RETRY = { firstMs: 500, maxMs: 122_000 };

/** The kubelet's podAttachAndMountTimeout. */
const MOUNT_TIMEOUT_MS = 123_000;
/** As long as an answer about a claim is remembered. */
const CLAIM_RETRY_MS = 1_000;

export interface PodVolumesOptions {
  readonly pod: () => ReadonlyPod;
  readonly deps: PodDependencies;
  readonly events: PodEvents;
  readonly kickAfter: (ms: number) => void;
}

export function createPodVolumes({ pod, deps, events, kickAfter }: PodVolumesOptions): PodVolumes {
  const { clock, log, nodeIPs } = deps;
  let mounted: SetUpVolumes | undefined;
  let addresses: PodAddresses = { podIPs: [], nodeIPs };
  let delay = RETRY.firstMs;
  /** In monotonic milliseconds; before, it is too early to try again. Undefined: never failed. */
  let retryAt: number | undefined;
  /** Clock milliseconds since when a claim has been waited for. */
  let waitingSince: number | undefined;
  let stopped = false;
  let cancelRefresh: () => void = () => undefined;

  const input = () => {
    const { sources, allocatable, hostTree, nodeTrees, keptVolumes } = deps;
    return { pod: pod(), addresses, sources, allocatable, hostTree, nodeTrees, keptVolumes };
  };
  const schedule = (): void => {
    if (!stopped && hasRefreshable(pod())) cancelRefresh = clock.after(REFRESH_MS, () => void refresh());
  };
  const refresh = async (): Promise<void> => {
    cancelRefresh();
    if (mounted === undefined || stopped) return;
    try {
      await refreshVolumeContent(mounted, input());
    } catch (error) {
      const { namespace = '', name = '' } = pod().metadata;
      // What was mounted stays, as on a real node.
      log.info({ pod: `${namespace}/${name}`, error: (error as Error).message }, 'volumes could not be refreshed');
    }
    schedule();
  };

  return {
    get mounted() {
      return mounted;
    },
    async ensure(podIPs) {
      if (mounted !== undefined) return true;
      if (retryAt !== undefined && clock.monotonic() < retryAt) {
        // Asked for again: a timer may be a little early, and it may have been the one of this retry.
        kickAfter(retryAt - clock.monotonic());
        return false;
      }
      addresses = { podIPs, nodeIPs };
      try {
        mounted = await setUpVolumes(input());
      } catch (error) {
        if (!(error instanceof MountError)) throw error;
        if (error instanceof ClaimNotReadyError) {
          waitingSince ??= clock.monotonic();
          if (clock.monotonic() - waitingSince >= MOUNT_TIMEOUT_MS) {
            events.warning('FailedMount', error.message);
            waitingSince = clock.monotonic();
          }
          kickAfter(CLAIM_RETRY_MS);
          return false;
        }
        events.warning('FailedMount', error.message);
        if (retryAt !== undefined) delay = Math.min(RETRY.maxMs, delay * 2);
        retryAt = clock.monotonic() + delay;
        kickAfter(delay);
        return false;
      }
      schedule();
      return true;
    },
    refresh,
    stop() {
      stopped = true;
      cancelRefresh();
    },
  };
}
