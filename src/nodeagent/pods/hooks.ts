import type { Container, DeepReadonly } from '../../machinery/types.js';
import { captured } from '../../containers/io.js';
import type { RunningContainer } from '../../containers/container.js';
import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { KUBERNETES_RELEASE } from '../../machinery/kubernetes-version.js';
import { httpCall } from '../../containers/network/http-client.js';
import type { NetNamespace } from '../../containers/network/types.js';
import { resolvePort } from '../../containers/images/container-port.js';
import type { Clock } from '../../machinery/clock.js';
import type { ReadonlyContainer } from './types.js';

export type HookHandler = DeepReadonly<NonNullable<NonNullable<Container['lifecycle']>['preStop']>>;

export interface HookTarget {
  readonly container: RunningContainer;
  readonly spec: ReadonlyContainer;
  readonly podIP: string;
  readonly network: NetNamespace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds it may take. */
  readonly limitMs: number;
}

/** Runs a postStart or preStop handler. Resolves with what went wrong, or undefined. */
export async function runHook(handler: HookHandler, target: HookTarget): Promise<string | undefined> {
  const { container, spec, podIP, network, clock } = target;
  const limit = deadline(clock, target.limitMs, target.signal);
  try {
    if (handler.exec !== undefined) {
      const output = captured();
      const command = handler.exec.command ?? [];
      const code = await container.check(command, { stdout: output, stderr: output, tty: false, signal: limit.signal });
      limit.signal.throwIfAborted();
      return code === 0 ? undefined : `command '${command.join(' ')}' exited with ${code}: ${output.text()}`;
    }
    if (handler.sleep !== undefined) {
      await clock.sleep(handler.sleep.seconds * 1000, limit.signal);
      return undefined;
    }
    if (handler.httpGet !== undefined) {
      const { httpGet } = handler;
      const port = resolvePort(httpGet.port, spec) ?? 80;
      const address = httpGet.host ?? podIP;
      const headers = (httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value] as const);
      const { response, stream } = await httpCall(
        network,
        {
          to: { address, port },
          method: 'GET',
          path: httpGet.path?.startsWith('/') === true ? httpGet.path : `/${httpGet.path ?? ''}`,
          headers: [
            ['Host', `${address}:${port}`],
            ['User-Agent', `kube-lifecycle/${KUBERNETES_RELEASE}`],
            ['Connection', 'close'],
            ...headers,
          ],
          ...(httpGet.scheme === 'HTTPS' ? { tls: { serverName: address, verify: false } } : {}),
        },
        { signal: limit.signal },
      );
      stream.destroy();
      // As upstream: any answer will do.
      void response;
      return undefined;
    }
    return 'invalid handler';
  } catch (error) {
    if (error instanceof DeadlineExceeded) return 'timed out';
    return (error as Error).message;
  } finally {
    limit.cancel();
  }
}
