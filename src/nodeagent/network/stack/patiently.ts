import type { ProbeAnswer } from '../../../containers/network/probe.js';
import type { ProbeOptions } from '../../../containers/network/types.js';
import type { Clock } from '../../../machinery/clock.js';

/** Where no answer comes the sender waits as long as it would have for one. */
export async function patiently(
  clock: Clock,
  { timeoutMs, signal }: ProbeOptions,
  ask: () => Promise<ProbeAnswer | undefined>,
): Promise<ProbeAnswer | undefined> {
  const began = clock.monotonic();
  const answer = await ask();
  const left = timeoutMs - (clock.monotonic() - began);
  if (answer === undefined && left > 0) await clock.sleep(left, signal);
  return answer;
}
