import { resolvePort } from '../../containers/images/container-port.js';
import type { DeepReadonly, Probe } from '../../machinery/types.js';
import { failure, success, type ProbeResult, type ProbeTarget } from './probe-result.js';

/** The result of a probe that a container is told to pass or to fail, in the words of what usually makes it fail. */
export async function toldResult(
  { exec, httpGet, tcpSocket }: DeepReadonly<Probe>,
  { spec, podIP }: Pick<ProbeTarget, 'spec' | 'podIP'>,
  healthy: boolean,
): Promise<ProbeResult> {
  if (healthy) return success();
  if (exec !== undefined) return failure('told to fail');
  if (httpGet !== undefined) return failure('HTTP probe failed with statuscode: 503');
  if (tcpSocket === undefined) return failure('service unhealthy (responded with "NOT_SERVING")');
  const at = `${tcpSocket.host ?? podIP}:${resolvePort(tcpSocket.port, spec) ?? tcpSocket.port}`;
  return failure(`dial tcp ${at}: connect: connection refused`);
}
