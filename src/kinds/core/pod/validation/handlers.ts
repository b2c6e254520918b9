import {
  forbidden,
  invalid,
  notSupported,
  required,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.js';
import type { DeepReadonly, Container, Probe } from '../../../../machinery/types.js';
import { checkHttpHeaderName, checkNonNegative, checkPortNumberOrName } from '../../../validation/formats.js';

type Lifecycle = DeepReadonly<NonNullable<Container['lifecycle']>>;
type LifecycleHandler = NonNullable<Lifecycle['postStart']>;
type ReadonlyProbe = DeepReadonly<Probe>;
type HttpGet = NonNullable<ReadonlyProbe['httpGet']>;
type Handler = Pick<ReadonlyProbe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & {
  sleep?: { seconds: number } | undefined;
};

function checkHttpGet(out: FieldError[], at: FieldPath, http: HttpGet): void {
  if (!http.path) out.push(required(at.child('path')));
  checkPortNumberOrName(out, at.child('port'), http.port);
  if (http.scheme !== 'HTTP' && http.scheme !== 'HTTPS')
    out.push(notSupported(at.child('scheme'), http.scheme ?? '', ['HTTP', 'HTTPS']));
  for (const header of http.httpHeaders ?? []) checkHttpHeaderName(out, at.child('httpHeaders'), header.name);
}

function checkSleep(out: FieldError[], at: FieldPath, seconds: number, grace: number | undefined): void {
  if (grace !== undefined && (seconds < 0 || seconds > grace))
    out.push(invalid(at, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`));
}

/** One of exec, httpGet, tcpSocket, grpc and sleep; the first one found is checked, the others are refused. */
function checkHandler(out: FieldError[], at: FieldPath, handler: Handler, grace: number | undefined): void {
  let count = 0;
  const first = (name: string): boolean => {
    if (count++ === 0) return true;
    out.push(forbidden(at.child(name), 'may not specify more than 1 handler type'));
    return false;
  };
  if (handler.exec !== undefined && first('exec') && (handler.exec.command ?? []).length === 0)
    out.push(required(at.child('exec', 'command')));
  if (handler.httpGet !== undefined && first('httpGet')) checkHttpGet(out, at.child('httpGet'), handler.httpGet);
  if (handler.tcpSocket !== undefined && first('tcpSocket'))
    checkPortNumberOrName(out, at.child('tcpSocket', 'port'), handler.tcpSocket.port);
  if (handler.grpc !== undefined && first('grpc'))
    checkPortNumberOrName(out, at.child('grpc', 'port'), handler.grpc.port);
  if (handler.sleep !== undefined && first('sleep')) checkSleep(out, at.child('sleep'), handler.sleep.seconds, grace);
  if (count === 0) out.push(required(at, 'must specify a handler type'));
}

function checkProbe(out: FieldError[], at: FieldPath, probe: ReadonlyProbe, grace: number | undefined): void {
  checkHandler(out, at, probe, grace);
  checkNonNegative(out, at.child('initialDelaySeconds'), probe.initialDelaySeconds);
  checkNonNegative(out, at.child('timeoutSeconds'), probe.timeoutSeconds);
  checkNonNegative(out, at.child('periodSeconds'), probe.periodSeconds);
  checkNonNegative(out, at.child('successThreshold'), probe.successThreshold);
  checkNonNegative(out, at.child('failureThreshold'), probe.failureThreshold);
  const grace_ = probe.terminationGracePeriodSeconds;
  if (grace_ !== undefined && grace_ <= 0)
    out.push(invalid(at.child('terminationGracePeriodSeconds'), grace_, 'must be greater than 0'));
}

/** Liveness and startup probes: one success must do. */
export function checkLivenessProbe(
  out: FieldError[],
  at: FieldPath,
  probe: ReadonlyProbe | undefined,
  grace: number | undefined,
): void {
  if (probe === undefined) return;
  checkProbe(out, at, probe, grace);
  if (probe.successThreshold !== 1)
    out.push(invalid(at.child('successThreshold'), probe.successThreshold ?? 0, 'must be 1'));
}

export function checkReadinessProbe(
  out: FieldError[],
  at: FieldPath,
  probe: ReadonlyProbe | undefined,
  grace: number | undefined,
): void {
  if (probe === undefined) return;
  checkProbe(out, at, probe, grace);
  const own = probe.terminationGracePeriodSeconds;
  if (own !== undefined)
    out.push(invalid(at.child('terminationGracePeriodSeconds'), own, 'must not be set for readinessProbes'));
}

const STOP_SIGNAL_NEEDS_OS = 'may not be set for containers with empty `spec.os.name`';

export function checkLifecycle(
  out: FieldError[],
  at: FieldPath,
  lifecycle: Lifecycle | undefined,
  grace: number | undefined,
  osName: string | undefined,
): void {
  if (lifecycle === undefined) return;
  const check = (name: string, handler: LifecycleHandler | undefined): void => {
    if (handler !== undefined) checkHandler(out, at.child(name), handler, grace);
  };
  check('postStart', lifecycle.postStart);
  check('preStop', lifecycle.preStop);
  if (lifecycle.stopSignal !== undefined && osName === undefined)
    out.push(forbidden(at.child('stopSignal'), STOP_SIGNAL_NEEDS_OS));
}
