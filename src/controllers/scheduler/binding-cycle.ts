import { isStatusError } from '../../machinery/status.js';
import type { Pod } from '../../machinery/types.js';
import { splitKey, type ResourceClient } from '../../client/types.js';
import type { SchedulerCache } from './cache.js';
import type { Cycle } from './framework.js';
import type { PodInfo } from './pod-info.js';
import { defaultBinder } from './plugins/default-binder.js';
import type { QueuedPod, SchedulingQueue } from './queue.js';
import type { RunningProfile } from './running-profile.js';

export interface BindingCycleOptions {
  readonly podClient: ResourceClient<Pod>;
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly signal: AbortSignal;
  /** A binding has ended: another one may begin. */
  readonly onBound: () => void;
  /** It has no node after all, and is in the queue again. */
  readonly onError: (pod: PodInfo, profile: RunningProfile, error: Error) => void;
}

export interface BindingCycle {
  /** Bindings on their way. */
  readonly count: number;
  /** Brings a Pod to the node that has been chosen and reserved for it. Never rejects. */
  run(queued: QueuedPod, pod: PodInfo, profile: RunningProfile, cycle: Cycle, node: string): Promise<void>;
}

/** What runs beside the scheduling of others (pkg/scheduler/schedule_one.go, bindingCycle). */
export function createBindingCycle(options: BindingCycleOptions): BindingCycle {
  const { podClient, cache, queue, signal, onBound, onError } = options;
  const bind = defaultBinder(podClient);
  let binding = 0;
  const run: BindingCycle['run'] = async (queued, pod, profile, cycle, node) => {
    const { framework, events } = profile;
    const stateOf = (plugin: (typeof framework.plugins)[number]): unknown => cycle.states.get(plugin);
    try {
      // Others see where it will be, and so does this scheduler when it is started again meanwhile.
      if (framework.plugins.some(plugin => plugin.delaysBinding?.(stateOf(plugin), node) === true)) {
        const patch = { metadata: { uid: pod.pod.metadata.uid }, status: { nominatedNodeName: node } };
        await podClient.patch(splitKey(pod.key), patch, { type: 'strategic', subresource: 'status' });
      }
      for (const plugin of framework.plugins)
        await plugin.preBind?.(stateOf(plugin), pod, node, signal).catch((error: unknown) => {
          throw new Error(`running PreBind plugin "${plugin.name}": ${(error as Error).message}`, { cause: error });
        });
      binding++;
      try {
        await bind(pod, node);
      } finally {
        binding--;
        onBound();
      }
      queue.remove(pod.id);
      events.event(pod.pod, 'Normal', 'Scheduled', `Successfully assigned ${pod.key} to ${node}`);
    } catch (error) {
      for (const plugin of framework.plugins) plugin.unreserve?.(stateOf(plugin), pod, node);
      cache.forget(pod.id);
      queue.happened('pod/deleted');
      if (signal.aborted) return;
      // Deleted, or bound by somebody else meanwhile: the watch tells what became of it.
      if (isStatusError(error, 'NotFound')) return queue.remove(pod.id);
      queue.failed(queued);
      onError(pod, profile, error as Error);
    }
  };
  return {
    get count() {
      return binding;
    },
    run,
  };
}
