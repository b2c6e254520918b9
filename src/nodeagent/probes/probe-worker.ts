import type { DeepReadonly, Probe } from '../../machinery/types.js';
import { inHand } from '../../machinery/work-ledger.js';
import type { Answer } from '../../containers/behaviour/values.js';
import { runProbe } from './probe.js';
import type { ProbeResult, ProbeTarget } from './probe-result.js';
import { toldResult } from './told-result.js';

export type ProbeKind = 'readiness' | 'liveness' | 'startup';

export interface ProbeWorkerOptions extends ProbeTarget {
  readonly kind: ProbeKind;
  readonly probe: DeepReadonly<Probe>;
  /** How it is to be answered, at this moment, in place of the container; undefined: the container is asked. */
  readonly told: () => Answer | undefined;
  /** The thresholds have been crossed; `healthy` differs from the last call, except that a failure may repeat. */
  readonly onChange: (healthy: boolean, last: ProbeResult) => void;
  /** Every result, for the Events and the metrics. */
  readonly onResult: (kind: ProbeKind, result: ProbeResult) => void;
}

/** The least time a container has to open its ports before the first look. */
const SETTLE_MS = 100;

/**
 * Probes one run of a container until its signal aborts: after initialDelaySeconds, then every periodSeconds. A startup
 * probe ends with its first success.
 */
export async function runProbeWorker(options: ProbeWorkerOptions): Promise<void> {
  const { kind, probe, container, clock, signal, onChange, onResult } = options;
  const needed = { success: probe.successThreshold ?? 1, failure: probe.failureThreshold ?? 3 };
  const period = (probe.periodSeconds ?? 10) * 1000;
  const delay = Math.max(SETTLE_MS, (probe.initialDelaySeconds ?? 0) * 1000);
  let streak = { outcome: '', length: 0 };
  try {
    // Without a delay of its own it is a part of starting the container.
    // A clock that was set back since the start makes nobody wait longer than the delay.
    const left = Math.min(delay, Math.max(0, container.startedAt + delay - clock.now()));
    await clock.sleep(left, signal, { work: probe.initialDelaySeconds === undefined });
    for (;;) {
      const began = clock.monotonic();
      const probed = inHand(clock, `${kind} probe`);
      const told = options.told();
      const age = clock.now() - container.startedAt;
      const asked = told === undefined ? runProbe(probe, options) : toldResult(probe, options, isHealthy(told, age));
      const result = await asked.finally(probed);
      onResult(kind, result);
      if (result.outcome !== 'error') {
        const outcome = result.outcome === 'failure' ? 'failure' : 'success';
        streak = { outcome, length: streak.outcome === outcome ? streak.length + 1 : 1 };
        if (streak.length >= needed[outcome]) {
          onChange(outcome === 'success', result);
          if (kind === 'startup' && outcome === 'success') return;
        }
      }
      await clock.sleep(Math.max(0, period - (clock.monotonic() - began)), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** `age`: milliseconds since the container has started. */
const isHealthy = ({ healthy, afterMs }: Answer, age: number): boolean => (age >= afterMs ? healthy : !healthy);
