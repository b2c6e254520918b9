import { formatMicroTime, type Clock } from '../machinery/clock.js';
import { isStatusError } from '../machinery/status.js';
import type { Lease, ObjectKey } from '../machinery/types.js';
import type { ResourceClient } from './types.js';

export interface LeaderElectionOptions {
  readonly leases: ResourceClient<Lease>;
  readonly lease: ObjectKey;
  readonly identity: string;
  readonly clock: Clock;
  /** How long others wait for a silent leader. Upstream 15 s, 10 s, 2 s. */
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  readonly onError?: (error: Error) => void;
}

/**
 * Waits to become the holder of a Lease, then runs `lead` with a signal that aborts when the lease is lost or the
 * outer signal aborts. Returns when leadership ends. The holder's silence is measured on the local clock since its
 * record last changed, so clocks need not agree (client-go tools/leaderelection).
 */
export async function runWhileLeading(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { leases, lease: key, identity, clock } = options;
  const leaseDurationMs = options.leaseDurationMs ?? 15_000;
  const renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
  const retryPeriodMs = options.retryPeriodMs ?? 2_000;
  let observed = { record: '', at: 0 };

  const spec = (current: Lease | undefined): NonNullable<Lease['spec']> => {
    const now = formatMicroTime(clock.now());
    const held = current?.spec?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.round(leaseDurationMs / 1000)),
      acquireTime: held ? (current.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (current?.spec?.leaseTransitions ?? 0) + (current === undefined || held ? 0 : 1),
    };
  };

  /** True when the lease is ours now. */
  const tryAcquireOrRenew = async (): Promise<boolean> => {
    let current: Lease;
    try {
      current = await leases.get(key);
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      await leases.create(key.namespace, { metadata: { ...key }, spec: spec(undefined) });
      return true;
    }
    const record = JSON.stringify(current.spec ?? {});
    if (record !== observed.record) observed = { record, at: clock.monotonic() };
    const holder = current.spec?.holderIdentity ?? '';
    const theirs = (current.spec?.leaseDurationSeconds ?? 0) * 1000;
    if (holder !== '' && holder !== identity && clock.monotonic() < observed.at + theirs) return false;
    await leases.update({ ...current, spec: spec(current) });
    return true;
  };
  const attempt = async (): Promise<boolean> => {
    try {
      return await tryAcquireOrRenew();
    } catch (error) {
      // Losing a race for the lease is the protocol at work.
      if (!isStatusError(error, 'Conflict') && !isStatusError(error, 'AlreadyExists'))
        options.onError?.(error as Error);
      return false;
    }
  };
  const pause = (): Promise<void> => clock.sleep(retryPeriodMs, signal).catch(() => undefined);

  while (!(await attempt())) {
    if (signal.aborted) return;
    await pause();
  }
  if (signal.aborted) return;
  const leading = new AbortController();
  const work = lead(AbortSignal.any([leading.signal, signal]));
  let renewed = clock.monotonic();
  while (!signal.aborted && clock.monotonic() < renewed + renewDeadlineMs) {
    await pause();
    if (!signal.aborted && (await attempt())) renewed = clock.monotonic();
  }
  leading.abort(new Error('the lease was lost'));
  await work;
  if (signal.aborted) await release();

  /** So that the next one need not wait for the lease to run out. */
  async function release(): Promise<void> {
    try {
      const current = await leases.get(key);
      if (current.spec?.holderIdentity !== identity) return;
      await leases.update({ ...current, spec: { ...spec(current), holderIdentity: '', leaseDurationSeconds: 1 } });
    } catch (error) {
      options.onError?.(error as Error);
    }
  }
}
