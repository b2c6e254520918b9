import type { ReadonlyVolume } from './match.js';

/** What becomes of a volume whose claim is gone. */
export type Reclaim =
  | { readonly do: 'keep' }
  | { readonly do: 'delete' }
  | { readonly do: 'fail'; readonly reason: 'VolumeFailedDelete' | 'VolumeFailedRecycle'; readonly message: string };

const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
/** host_path deletes nothing that matters. */
const DELETABLE_PATH = /^\/tmp\/.+/;

/** Source: pv_controller.go reclaimVolume, with the one plugin that can delete without a cloud or a driver. */
export function planReclaim({ spec, metadata }: ReadonlyVolume): Reclaim {
  const fail = (message: string): Reclaim => ({ do: 'fail', reason: 'VolumeFailedDelete', message });
  switch (spec?.persistentVolumeReclaimPolicy) {
    case 'Delete': {
      // Its provisioner deletes it.
      if (metadata.annotations?.[PROVISIONED_BY] !== undefined || spec.csi !== undefined) return { do: 'keep' };
      const path = spec.hostPath?.path;
      if (path === undefined)
        return fail(
          `error getting deleter volume plugin for volume "${metadata.name ?? ''}": no deletable volume plugin matched`,
        );
      return DELETABLE_PATH.test(path)
        ? { do: 'delete' }
        : fail(`host_path deleter only supports /tmp/.+ but received provided ${path}`);
    }
    case 'Recycle':
      return { do: 'fail', reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' };
    default:
      return { do: 'keep' };
  }
}
