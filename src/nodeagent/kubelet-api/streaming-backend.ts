import { randomBytes } from 'node:crypto';
import { StartError, type RunningContainer } from '../../containers/container.js';
import { NetworkError } from '../../containers/network/errors.js';
import type { PodWorker } from '../pods/pod-worker.js';
import type { PodManager } from '../pods/pod-manager.js';
import { StreamingError, type ContainerTarget, type StreamingBackend } from '../streaming/types.js';

/** Exec, attach and port-forward against this node's Pods. */
export function createStreamingBackend(pods: PodManager): StreamingBackend {
  const podOf = ({ namespace, pod }: { namespace: string; pod: string }): PodWorker => {
    const worker = pods.find(namespace, pod);
    if (worker === undefined) throw new StreamingError(404, `pod not found ("${pod}_${namespace}")`);
    return worker;
  };
  const running = (target: ContainerTarget): RunningContainer => {
    const worker = podOf(target);
    const record = worker.records.find(r => r.name === target.container);
    if (record?.running === undefined) throw new StreamingError(404, `container not found ("${target.container}")`);
    return record.running;
  };
  return {
    async exec(target, command, streams, signal) {
      try {
        return await running(target).exec(command, { ...streams, signal });
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        if (error.hint !== undefined) await streams.stderr?.write(`${error.hint}\n`);
        // The words of the kubelet and of containerd; kubectl shows them and exits with 1.
        const exec = randomBytes(32).toString('hex');
        throw new StreamingError(
          500,
          `Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "${exec}": OCI runtime exec failed: exec failed: unable to start container process: ${error.message}: unknown`,
        );
      }
    },
    attach: (target, streams, signal) => running(target).attach({ ...streams, signal }),
    async connect(target, port, signal) {
      const { network } = podOf(target);
      if (network === undefined) throw new StreamingError(500, `pod ${target.pod} is not running`);
      try {
        return await network.connect({ address: '127.0.0.1', port }, { signal });
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        throw new StreamingError(
          500,
          `failed to connect to localhost:${port} inside namespace "${target.namespace}": dial tcp4 127.0.0.1:${port}: connect: ${error.text.toLowerCase()}`,
        );
      }
    },
  };
}
