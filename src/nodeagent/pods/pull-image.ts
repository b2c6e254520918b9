import type { Clock } from '../../machinery/clock.js';
import type { Behaviour } from '../../containers/behaviour/settings.js';
import { pullProblem } from '../../containers/images/absent.js';
import { pullErrorText } from '../../containers/images/pull-errors.js';
import { parseImage, type ImageReference } from '../../containers/images/reference.js';
import { formatDuration } from '../../machinery/duration.js';
import type { PodEvents } from './pod-events.js';
import type { RestartBackoff } from './restart-backoff.js';
import type { ContainerRecord, ReadonlyContainer } from './types.js';

/** The container waits for its image. */
export interface NoImage {
  readonly reason: string;
  /** Absent: it is being pulled. */
  readonly message?: string;
  readonly retryMs: number;
}

/** An image that is wanted, and when it is to be pulled. */
export type Pullable = Pick<ReadonlyContainer, 'image' | 'imagePullPolicy'>;

export interface PullOptions {
  readonly spec: Pullable;
  /** How it is to be pulled: then it is, whether it is on the node or not, until that has succeeded once. */
  readonly told: Behaviour;
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

/** Makes sure that the image is on the node, with the kubelet's Events. Pulling takes no time unless it is told to. */
export function pullImage(options: PullOptions): ImageReference | NoImage {
  const { spec, told, record, present, backoff, key, events, clock } = options;
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
  const mustPull = (told.pullError !== undefined || told.pullDelay !== undefined) && !record.pulls.done;
  if (there && policy !== 'Always' && !mustPull) {
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
  const remaining = backoff.remaining(key, record.pulls.failedAt);
  const waitedFor = failedBefore?.reason === 'ErrImagePull' || failedBefore?.reason === 'ImagePullBackOff';
  if (waitedFor && remaining > 0) {
    events.normal('BackOff', `Back-off pulling image "${name}"`, record);
    events.warning('Failed', 'Error: ImagePullBackOff', record);
    const { reason, message = '' } = failedBefore;
    const why = reason === 'ErrImagePull' ? `Back-off pulling image "${name}": ErrImagePull: ${message}` : message;
    return { reason: 'ImagePullBackOff', message: why, retryMs: remaining };
  }
  if (record.pulls.began === undefined) events.normal('Pulling', `Pulling image "${name}"`, record);
  const began = (record.pulls.began ??= clock.monotonic());
  const left = mustPull ? began + (told.pullDelay ?? 0) - clock.monotonic() : 0;
  if (left > 0) return { ...(failedBefore ?? { reason: 'ContainerCreating' }), retryMs: left };
  record.pulls.began = undefined;
  const error = pullErrorOf(options, image);
  if (error !== undefined) {
    if (mustPull) record.pulls.failed++;
    events.warning('Failed', `Failed to pull image "${name}": ${error}`, record);
    events.warning('Failed', 'Error: ErrImagePull', record);
    record.pulls.failedAt = clock.now();
    backoff.next(key, record.pulls.failedAt);
    return { reason: 'ErrImagePull', message: error, retryMs: AFTER_ERROR_MS };
  }
  if (mustPull) record.pulls.done = true;
  present.add(image.canonical);
  const took = formatDuration(clock.monotonic() - began);
  events.normal(
    'Pulled',
    `Successfully pulled image "${name}" in ${took} (${took} including waiting). Image size: 0 bytes.`,
    record,
  );
  return image;
}

/** Why it cannot be pulled now. */
function pullErrorOf({ told, record, resolver }: PullOptions, image: ImageReference): string | undefined {
  const { pullError, pullFailures = Infinity } = told;
  if (pullError === undefined || record.pulls.done) return pullProblem(image, resolver);
  return record.pulls.failed < pullFailures ? pullErrorText(pullError, image, resolver) : undefined;
}
