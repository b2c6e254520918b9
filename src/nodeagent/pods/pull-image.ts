import type { Clock } from '../../machinery/clock.js';
import { pullProblem } from '../../containers/images/absent.js';
import { parseImage, type ImageReference } from '../../containers/images/reference.js';
import type { PodEvents } from './pod-events.js';
import type { RestartBackoff } from './restart-backoff.js';
import type { ContainerRecord, ReadonlyContainer } from './types.js';

/** The container waits for its image. */
export interface NoImage {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'InvalidImageName' | 'ErrImageNeverPull';
  readonly message: string;
  readonly retryMs: number;
}

/** An image that is wanted, and when it is to be pulled. */
export type Pullable = Pick<ReadonlyContainer, 'image' | 'imagePullPolicy'>;

export interface PullOptions {
  readonly spec: Pullable;
  readonly record: ContainerRecord;
  readonly present: Set<string>;
  readonly backoff: RestartBackoff;
  /** Back-off key: the Pod and the image. */
  readonly key: string;
  readonly events: PodEvents;
  readonly clock: Clock;
  /** Address of the name server that the node asks for registries. */
  readonly resolver: string;
}

/** A refused pull is reported as such for a moment before it turns into back-off. */
const AFTER_ERROR_MS = 2_000;
const RETRY_MS = 10_000;

/** Makes sure that the image is on the node, with the kubelet's Events. Pulling takes no time here. */
export function pullImage(options: PullOptions): ImageReference | NoImage {
  const { spec, record, present, backoff, key, events, clock, resolver } = options;
  const name = spec.image ?? '';
  const image = parseImage(name);
  if (image === undefined) {
    const why = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`;
    if (record.state.kind !== 'waiting' || record.state.reason !== 'InvalidImageName') {
      events.warning('InspectFailed', why, record);
      events.warning('Failed', 'Error: InvalidImageName', record);
    }
    return { reason: 'InvalidImageName', message: why, retryMs: RETRY_MS };
  }
  const untagged = !/[:@]/.test(name.slice(name.lastIndexOf('/') + 1));
  const policy = spec.imagePullPolicy ?? (untagged || name.endsWith(':latest') ? 'Always' : 'IfNotPresent');
  const there = present.has(image.canonical);
  if (there && policy !== 'Always') {
    events.normal(
      'Pulled',
      `Container image "${name}" already present on machine and can be accessed by the pod`,
      record,
    );
    return image;
  }
  if (policy === 'Never') {
    const why = `Container image "${name}" is not present with pull policy of Never`;
    events.warning('ErrImageNeverPull', why, record);
    events.warning('Failed', 'Error: ErrImageNeverPull', record);
    return { reason: 'ErrImageNeverPull', message: why, retryMs: RETRY_MS };
  }
  const failedBefore = record.state.kind === 'waiting' && record.state.message !== undefined ? record.state : undefined;
  const remaining = backoff.remaining(key, clock.now());
  const error = pullProblem(image, resolver);
  if (error !== undefined) {
    const waitedFor = failedBefore?.reason === 'ErrImagePull' || failedBefore?.reason === 'ImagePullBackOff';
    if (waitedFor && remaining > 0) {
      events.normal('BackOff', `Back-off pulling image "${name}"`, record);
      events.warning('Failed', 'Error: ImagePullBackOff', record);
      return {
        reason: 'ImagePullBackOff',
        message: `Back-off pulling image "${name}": ErrImagePull: ${error}`,
        retryMs: remaining,
      };
    }
    events.normal('Pulling', `Pulling image "${name}"`, record);
    events.warning('Failed', `Failed to pull image "${name}": ${error}`, record);
    events.warning('Failed', 'Error: ErrImagePull', record);
    backoff.next(key, clock.now());
    return { reason: 'ErrImagePull', message: error, retryMs: AFTER_ERROR_MS };
  }
  events.normal('Pulling', `Pulling image "${name}"`, record);
  present.add(image.canonical);
  events.normal(
    'Pulled',
    `Successfully pulled image "${name}" in 0s (0s including waiting). Image size: 0 bytes.`,
    record,
  );
  return image;
}
