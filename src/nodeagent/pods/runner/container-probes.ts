import type { Answer } from '../../../containers/behaviour/values.js';
import type { RunningContainer } from '../../../containers/container.js';
import type { ProbeResult } from '../../probes/probe-result.js';
import { runProbeWorker, type ProbeKind } from '../../probes/probe-worker.js';
import type { ContainerRecord, ReadonlyContainer } from '../types.js';
import type { RunnerContext } from './runner-context.js';
import { graceOf, stopContainer } from './stop-container.js';

/** The label of prober_probe_total. */
const RESULTS = { success: 'successful', warning: 'successful', failure: 'failed', error: 'unknown' } as const;

/** A container that is probed. */
export interface Probed {
  readonly record: ContainerRecord;
  readonly spec: ReadonlyContainer;
  readonly container: RunningContainer;
  readonly podIP: string;
  /** Aborts when the container has ended. */
  readonly life: AbortSignal;
}

/** Probes a container until it ends: first its startup, then whether it is alive and ready. */
export function startProbes(context: RunnerContext, target: Probed): void {
  const { pod, kick } = context;
  const { record, spec, life } = target;
  const health = new AbortController();
  const end = (): void => health.abort();
  for (const signal of [life, context.healthProbes]) {
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  }
  const run = (kind: ProbeKind, onChange: (healthy: boolean) => void): void =>
    watchProbe(context, target, { kind, onChange, signal: kind === 'readiness' ? life : health.signal });
  const restart = (kind: 'liveness' | 'startup'): void => {
    const seconds = spec[`${kind}Probe`]?.terminationGracePeriodSeconds;
    const graceMs = seconds === undefined ? graceOf(pod()) : seconds * 1000;
    end();
    const message = `Container ${record.name} failed ${kind} probe, will be restarted`;
    void stopContainer(context, record, spec, { graceMs, message });
  };
  const runOthers = (): void => {
    run('readiness', healthy => {
      if (record.ready === healthy) return;
      record.ready = healthy;
      kick();
    });
    run('liveness', healthy => {
      if (!healthy) restart('liveness');
    });
  };
  if (spec.startupProbe === undefined) return runOthers();
  run('startup', healthy => {
    if (!healthy) return restart('startup');
    record.started = true;
    kick();
    runOthers();
  });
}

interface ProbeWatch {
  readonly kind: ProbeKind;
  readonly onChange: (healthy: boolean) => void;
  readonly signal: AbortSignal;
}

/** One probe, if the container has it; its results are counted and told as Events. */
function watchProbe(context: RunnerContext, target: Probed, { kind, onChange, signal }: ProbeWatch): void {
  const { deps } = context;
  const { record, spec, container, podIP } = target;
  const probe = spec[`${kind}Probe`];
  if (probe === undefined) return;
  const onResult = (_kind: ProbeKind, result: ProbeResult): void => report(context, record, kind, result);
  const told = (): Answer | undefined => deps.behaviours.of(context.pod(), record.name)[kind];
  const place = { container, spec, podIP, network: deps.network.node, clock: deps.clock, signal };
  void runProbeWorker({ ...place, kind, probe, told, onChange, onResult }).catch((error: unknown) =>
    deps.log.error({ err: error, container: record.name, probe: kind }, 'probe worker failed'),
  );
}

function report(
  { deps, events, pod, uid }: RunnerContext,
  record: ContainerRecord,
  kind: ProbeKind,
  { outcome, output }: ProbeResult,
): void {
  const name = kind.charAt(0).toUpperCase() + kind.slice(1);
  const { namespace = '', name: podName = '' } = pod().metadata;
  const labels = { container: record.name, namespace, pod: podName, pod_uid: uid };
  deps.counters.increment('prober_probe_total', { ...labels, probe_type: name, result: RESULTS[outcome] });
  if (outcome === 'success') return;
  if (outcome === 'warning') return events.warning('ProbeWarning', `${name} probe warning: ${output}`, record);
  const what = outcome === 'error' ? 'probe errored and resulted in unknown state' : 'probe failed';
  events.warning('Unhealthy', `${name} ${what}: ${output}`, record);
}
