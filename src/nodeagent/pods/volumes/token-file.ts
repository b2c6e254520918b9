import type { LazyContent } from '../../../containers/file-system.js';
import { containersOf, type ReadonlyPod } from '../types.js';
import type { Files } from './own-trees.js';
import type { VolumeInput } from './volume-input.js';

export interface TokenRequest {
  readonly path: string;
  readonly audience?: string;
  readonly expirationSeconds?: number;
}

/** Of a token whose readers are known: their user, or their group. */
const TOKEN_MODE = 0o600;

/** The file with a token of the Pod's service account. */
export function tokenFile(
  { path, audience, expirationSeconds }: TokenRequest,
  defaultMode: number,
  { pod, sources }: VolumeInput,
): Files {
  const uid = onlyUser(pod);
  const restricted = uid !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
  // Asked for when it is read: most simulated containers never do.
  const content: LazyContent = async () =>
    Buffer.from(
      await sources.token({
        namespace: pod.metadata.namespace ?? '',
        serviceAccount: pod.spec?.serviceAccountName ?? 'default',
        pod: { name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
        ...(audience === undefined ? {} : { audience }),
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      }),
    );
  return {
    [path]: { content, mode: restricted ? TOKEN_MODE : defaultMode, ...(uid === undefined ? {} : { uid }) },
  };
}

/** The user of all containers, when they have one in common: the owner of the Pod's token (kubelet util.FsUserFrom). */
function onlyUser(pod: ReadonlyPod): number | undefined {
  const users = containersOf(pod)
    .filter(c => c.kind !== 'ephemeral')
    .map(c => c.spec.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser);
  return users.every(user => user === users[0]) ? users[0] : undefined;
}
