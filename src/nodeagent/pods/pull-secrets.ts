import type { PodEvents } from './pod-events.js';
import type { Sources } from './sources.js';
import type { ReadonlyPod } from './types.js';

/** Says which of the Pod's image pull secrets are not there: without them a pull may fail, so none is needed. */
export async function checkPullSecrets(pod: ReadonlyPod, sources: Sources, events: PodEvents): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  const missing: string[] = [];
  for (const { name = '' } of pod.spec?.imagePullSecrets ?? [])
    if (name !== '' && (await sources.secret(namespace, name)) === undefined) missing.push(name);
  if (missing.length === 0) return;
  events.warning(
    'FailedToRetrieveImagePullSecret',
    `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
  );
}
