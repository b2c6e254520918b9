import { checkPullSecrets } from '../pull-secrets.js';
import { unpreparedClaim } from '../resource-claims.js';
import type { Place } from '../runner/runner-context.js';
import { createSandbox } from '../sandbox.js';
import type { PodWork } from './pod-work.js';

const CLAIMS_RETRY_MS = 5_000;

/** Sandbox, claims and volumes: where the containers are started. Undefined: not yet. */
export async function preparePod(work: PodWork): Promise<Place | undefined> {
  const { state, volumes } = work;
  const ready = await prepare(work);
  // The Pod may have come to its end meanwhile.
  if (!ready || state.place === undefined || volumes.mounted === undefined) return undefined;
  const { network, processes } = state.place;
  return { network, processes, volumes: volumes.mounted, signal: state.life.signal };
}

async function prepare(work: PodWork): Promise<boolean> {
  const { state, deps, events, volumes, wakening } = work;
  if (state.place === undefined) {
    const made = createSandbox(state.pod, state.records, deps, events);
    if (made === undefined) return false;
    if ('retryMs' in made) {
      wakening.kickAfter(made.retryMs);
      return false;
    }
    state.place = made;
    deps.counters.increment('kubelet_started_pods_total');
    await checkPullSecrets(state.pod, deps.sources, events);
  }
  if (volumes.mounted === undefined && !(await claimsPrepared(work))) return false;
  return volumes.ensure(state.place.network.addresses);
}

async function claimsPrepared({ state, deps, events, wakening }: PodWork): Promise<boolean> {
  const left = state.claimsAt - deps.clock.monotonic();
  if (left > 0) {
    // Asked for again: a timer may be a little early, and it may have been the one of this retry.
    wakening.kickAfter(left);
    return false;
  }
  const unprepared = await unpreparedClaim(state.pod, deps.sources);
  if (unprepared === undefined) return true;
  events.warning('FailedPrepareDynamicResources', unprepared);
  state.claimsAt = deps.clock.monotonic() + CLAIMS_RETRY_MS;
  wakening.kickAfter(CLAIMS_RETRY_MS);
  return false;
}
