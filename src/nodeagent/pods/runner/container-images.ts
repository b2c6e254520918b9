import type { Behaviour } from '../../../containers/behaviour/settings.js';
import type { ImageReference } from '../../../containers/images/reference.js';
import { pullImage, type NoImage, type Pullable } from '../pull-image.js';
import type { ContainerRecord, ReadonlyContainer, ReadonlyPod } from '../types.js';
import type { RunnerContext } from './runner-context.js';

/** Pulls what a container needs, the images that it mounts first. Answers with its own, or with what it waits for. */
export function pullImages(
  { deps, pod, uid, backoff, events }: RunnerContext,
  record: ContainerRecord,
  spec: ReadonlyContainer,
): ImageReference | NoImage {
  const pull = (wanted: Pullable, told: Behaviour = {}): ImageReference | NoImage =>
    pullImage({
      spec: wanted,
      told,
      record,
      present: deps.presentImages,
      backoff,
      key: `${uid}/image/${wanted.image ?? ''}`,
      events,
      clock: deps.clock,
      resolver: deps.dns.hostNameservers[0] ?? '127.0.0.1',
    });
  for (const volume of imageVolumesOf(pod(), spec)) {
    const pulled = pull(volume);
    if ('retryMs' in pulled) return pulled;
  }
  return pull(spec, deps.behaviours.of(pod(), spec.name));
}

/** The images that a container mounts. */
const imageVolumesOf = (pod: ReadonlyPod, { volumeMounts = [] }: ReadonlyContainer): Pullable[] =>
  (pod.spec?.volumes ?? []).flatMap(({ name, image }) =>
    image?.reference === undefined || !volumeMounts.some(mount => mount.name === name)
      ? []
      : [
          {
            image: image.reference,
            ...(image.pullPolicy === undefined ? {} : { imagePullPolicy: image.pullPolicy }),
          },
        ],
  );
