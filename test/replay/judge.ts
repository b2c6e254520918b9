import type { Test } from 'tap';
import type { Recording } from './recordings.js';
import type { Replayed } from './types.js';

/** "RECORDING:STEP" to why it is known to fail. */
export type Reasons = Readonly<Record<string, string>>;

interface Named {
  readonly name: string;
}

type Replay<R> = (recordings: readonly R[]) => Promise<readonly Replayed[]>;

export const idOf = ({ recording, step }: Replayed): string => `${recording}:${step}`;

/** Those that fail a second time: some steps race with the clock of a busy machine. */
async function failedTwice<R extends { readonly head: Named }>(
  t: Test,
  recordings: readonly R[],
  replay: Replay<R>,
  failed: readonly Replayed[],
): Promise<Replayed[]> {
  if (failed.length === 0) return [];
  for (const step of failed) t.comment(`once more: ${idOf(step)}: ${step.about}`);
  const names = new Set(failed.map(({ recording }) => recording));
  const again = await replay(recordings.filter(({ head }) => names.has(head.name)));
  const before = new Set(failed.map(idOf));
  return again.filter(step => !step.ok && before.has(idOf(step)));
}

/** Replays recordings: all steps pass but for those that are known to fail, which are few. `still`: what fails twice. */
export async function replayExcused<R extends { readonly head: Named }>(
  t: Test,
  recordings: readonly R[],
  replay: Replay<R>,
  { reasons, allowedShare }: { readonly reasons: Reasons; readonly allowedShare: number },
): Promise<{ readonly steps: readonly Replayed[]; readonly still: readonly Replayed[] }> {
  const steps = await replay(recordings);
  const failed = steps.filter(({ ok }) => !ok);
  t.comment(`${steps.length - failed.length} of ${steps.length} steps passed`);
  t.ok(steps.length > 0, 'steps were replayed');
  const unexpected = failed.filter(step => reasons[idOf(step)] === undefined);
  const excused = failed.length - unexpected.length;
  t.ok(excused <= steps.length * allowedShare, `${excused} of the failures are known`);
  const still = await failedTwice(t, recordings, replay, unexpected);
  t.same(
    still.map(step => `${idOf(step)}: ${step.about}`),
    [],
    'no other step fails',
  );
  return { steps, still };
}

/** The same, and what is known to fail does. */
export async function judgeReplay<Head extends Named, Step>(
  t: Test,
  recordings: readonly Recording<Head, Step>[],
  replay: Replay<Recording<Head, Step>>,
  { reasons = {}, allowedShare = 0 }: { readonly reasons?: Reasons; readonly allowedShare?: number } = {},
): Promise<void> {
  const { steps } = await replayExcused(t, recordings, replay, { reasons, allowedShare });
  // What passes needs no excuse: the list would otherwise hide that it breaks again.
  const passed = new Set(steps.filter(({ ok }) => ok).map(idOf));
  t.same(
    Object.keys(reasons).filter(name => passed.has(name)),
    [],
    'what is excused fails',
  );
}
