import type { DeepReadonly, Pod } from '../../machinery/types.js';

/** Index of Pods by the claims they use. */
export const BY_CLAIM = 'claim';

/** "namespace/name" of every claim that the Pod mounts, its own ephemeral ones included. */
export const claimsOf = (pod: DeepReadonly<Pod>): readonly string[] =>
  (pod.spec?.volumes ?? []).flatMap(volume => {
    const name =
      volume.persistentVolumeClaim?.claimName ??
      (volume.ephemeral === undefined ? undefined : `${pod.metadata.name ?? ''}-${volume.name}`);
    return name === undefined ? [] : [`${pod.metadata.namespace ?? ''}/${name}`];
  });
