import type { RunningContainer } from '../../../containers/container.js';
import { runHook, type HookHandler } from '../hooks.js';
import type { ContainerRecord, ReadonlyContainer, ReadonlyPod } from '../types.js';
import type { RunnerContext } from './runner-context.js';

export interface StopOptions {
  readonly graceMs: number;
  readonly message?: string;
  readonly force?: AbortSignal;
}

/** kuberuntime minimumGracePeriodInSeconds: what is left for SIGTERM after a preStop hook that used it all up. */
const MIN_TERM_MS = 2_000;

export const graceOf = (pod: ReadonlyPod): number => (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;

/**
 * Stops a container: preStop hook, SIGTERM, and SIGKILL after the grace period or when `force` aborts. Resolves when it
 * has ended.
 */
export async function stopContainer(
  context: RunnerContext,
  record: ContainerRecord,
  spec: ReadonlyContainer,
  { graceMs, message, force = new AbortController().signal }: StopOptions,
): Promise<void> {
  const container = record.running;
  if (container === undefined) return;
  if (record.stopping) return whenForced(container, force);
  record.stopping = true;
  context.events.normal('Killing', message ?? `Stopping container ${record.name}`, record);
  const { clock } = context.deps;
  const began = clock.monotonic();
  const handler = spec.lifecycle?.preStop;
  if (handler !== undefined && graceMs > 0)
    await preStop(context, handler, { record, spec, container, graceMs, force });
  const left = graceMs === 0 ? 0 : Math.max(MIN_TERM_MS, graceMs - (clock.monotonic() - began));
  container.kill('TERM');
  const cancel = clock.after(left, () => container.kill('KILL'));
  await whenForced(container, force);
  cancel();
}

interface Stopping {
  readonly record: ContainerRecord;
  readonly spec: ReadonlyContainer;
  readonly container: RunningContainer;
  readonly graceMs: number;
  readonly force: AbortSignal;
}

async function preStop(
  { deps, pod, events }: RunnerContext,
  handler: HookHandler,
  { record, spec, container, graceMs, force }: Stopping,
): Promise<void> {
  const podIP = pod().status?.podIP ?? '';
  const target = { container, spec, podIP, network: deps.network.node, clock: deps.clock };
  const problem = await Promise.race([
    runHook(handler, { ...target, signal: force, limitMs: graceMs }),
    container.exited.then(() => undefined),
  ]);
  if (problem !== undefined) events.warning('FailedPreStopHook', 'PreStopHook failed', record);
}

/** Resolves when the container has ended, which it is made to when `force` aborts. */
async function whenForced(container: RunningContainer, force: AbortSignal): Promise<void> {
  const kill = (): void => container.kill('KILL');
  if (force.aborted) kill();
  force.addEventListener('abort', kill, { once: true });
  await container.exited;
  force.removeEventListener('abort', kill);
}
