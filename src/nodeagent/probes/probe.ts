import { resolvePort } from '../../containers/images/container-port.js';
import { type ProbeResult, type ProbeTarget, failure, success, broken, dialError } from './probe-result.js';
import { StartError } from '../../containers/container.js';
import { captured } from '../../containers/io.js';
import type { DeepReadonly, Probe } from '../../machinery/types.js';
import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { NetworkError } from '../../containers/network/errors.js';
import { httpProbe } from './http-probe.js';

const MAX_OUTPUT = 10 * 1024;

/** Runs a probe once. Rejects only with the signal's reason. */
export async function runProbe(probe: DeepReadonly<Probe>, target: ProbeTarget): Promise<ProbeResult> {
  const limit = deadline(target.clock, (probe.timeoutSeconds ?? 1) * 1000, target.signal);
  try {
    if (probe.exec !== undefined) return await execProbe(probe.exec.command ?? [], target, limit.signal);
    if (probe.httpGet !== undefined) return await httpProbe(probe.httpGet, target, limit.signal);
    if (probe.tcpSocket !== undefined) return await tcpProbe(probe.tcpSocket, target, limit.signal);
    if (probe.grpc !== undefined) return await grpcProbe(probe.grpc, target, limit.signal, probe.timeoutSeconds ?? 1);
    return broken('missing probe handler');
  } finally {
    limit.cancel();
  }
}

async function execProbe(command: readonly string[], target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const output = captured();
  const seconds = (ms: number): string => `${Math.round(ms / 1000)}s`;
  const started = target.clock.monotonic();
  try {
    const code = await target.container.check(command, { stdout: output, stderr: output, tty: false, signal });
    target.signal.throwIfAborted();
    if (signal.aborted)
      return failure(
        `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${seconds(target.clock.monotonic() - started)}`,
      );
    const text = output.text().slice(0, MAX_OUTPUT);
    return code === 0 ? success(text) : failure(text);
  } catch (error) {
    target.signal.throwIfAborted();
    const { message } = error as Error;
    return failure(error instanceof StartError && error.hint !== undefined ? `${message} (${error.hint})` : message);
  }
}

/** HealthCheckResponse.ServingStatus. */
const HEALTH = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const UNIMPLEMENTED = 12;

async function grpcProbe(
  { port, service }: { readonly port: number; readonly service?: string },
  target: ProbeTarget,
  signal: AbortSignal,
  seconds: number,
): Promise<ProbeResult> {
  const at = `${target.podIP}:${port}`;
  const { checkHealth, NoConnectionError } = await import('./grpc-probe.js');
  try {
    const to = { address: target.podIP, port };
    const { code, message, health } = await checkHealth(target.network, to, service ?? '', signal);
    if (code === UNIMPLEMENTED)
      return failure(
        `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`,
      );
    if (code !== 0)
      return failure(`error: health rpc probe failed: rpc error: code = ${GRPC_CODES[code] ?? code} desc = ${message}`);
    if (HEALTH[health] === 'SERVING') return success('service healthy');
    return failure(`service unhealthy (responded with "${HEALTH[health] ?? health}")`);
  } catch (error) {
    target.signal.throwIfAborted();
    if (error instanceof NetworkError || error instanceof NoConnectionError || error instanceof DeadlineExceeded)
      return failure(`timeout: failed to connect service "${at}" within ${seconds}s: context deadline exceeded`);
    return failure(`error: health rpc probe failed: rpc error: code = Unavailable desc = ${(error as Error).message}`);
  }
}

/** google.golang.org/grpc/codes, by number. */
const GRPC_CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

async function tcpProbe(
  socket: { readonly port: number | string; readonly host?: string },
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = resolvePort(socket.port, target.spec);
  if (port === undefined) return broken(`couldn't find port: ${String(socket.port)}`);
  const address = socket.host ?? target.podIP;
  try {
    (await target.network.connect({ address, port }, { signal })).destroy();
    return success();
  } catch (error) {
    target.signal.throwIfAborted();
    return failure(dialError(error, `${address}:${port}`));
  }
}
