import { chooseStage, delayOf, matchesStage, type StageObject } from '../../containers/behaviour/stages/choose.js';
import { playStage, type StageAction } from '../../containers/behaviour/stages/play.js';
import { writesStatus, type Stage } from '../../containers/behaviour/stages/types.js';
import { TemplateError, type Functions } from '../../machinery/go-template/functions.js';
import { StatusError } from '../../machinery/status.js';
import type { Clock } from '../../machinery/clock.js';
import { inHand } from '../../machinery/work-ledger.js';

/** Who writes what Stages say, in managed fields. */
export const STAGES_MANAGER = 'stages.sim.kubette.io';

/** An object of the API as Stages see it. */
export type Staged = StageObject & { readonly metadata: { readonly resourceVersion?: string } };

export interface StageRunnerOptions {
  readonly stages: readonly Stage[];
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly functions: Functions;
  /** Does what a Stage says; resolves with the object that has come of it, if any. */
  readonly apply: (action: StageAction) => Promise<Staged | undefined>;
  /** Called, and waited for, before a Stage writes the status. */
  readonly beforeStatus: () => Promise<void>;
  /** A Stage cannot be played on the object as it is, or the API refuses what it says: not again before that changes. */
  readonly onFailed: (stage: Stage, error: Error) => void;
  /** The API could not be asked; it is tried again. */
  readonly onError: (stage: Stage, error: Error) => void;
}

/** Plays the Stages of one object, one after the other. */
export interface StageRunner {
  /** The object as it is now. Returns the Stage that is due or under way; undefined: it is as none of them says. */
  look(object: Staged): Stage | undefined;
  /** Forgets what is due. */
  stop(): void;
}

const RETRY_MS = 1_000;

/**
 * A Stage is played its delay after the object has come to be as it says, if it is so all that time. What has been looked at
 * when a Stage was played is not looked at again: only a change makes the next one.
 */
export function createStageRunner(options: StageRunnerOptions): StageRunner {
  const { stages, clock, random } = options;
  let latest: Staged | undefined;
  /** What is older has been seen to by the Stage played last. */
  let floor = 0;
  let due: { readonly stage: Stage; cancel: () => void } | undefined;
  let playing = false;
  let stopped = false;

  const versionOf = ({ metadata }: Staged): number => Number(metadata.resourceVersion ?? 0);

  const look = (object: Staged): Stage | undefined => {
    latest = object;
    if (playing || stopped || versionOf(object) < floor) return due?.stage;
    if (due !== undefined && matchesStage(due.stage, object)) return due.stage;
    due?.cancel();
    const stage = chooseStage(stages, object, random);
    due = stage && { stage, cancel: clock.after(delayOf(stage, object, clock.now(), random), () => void play(stage)) };
    return stage;
  };
  const play = async (stage: Stage): Promise<void> => {
    const object = latest;
    if (object === undefined || stopped) return;
    playing = true;
    const done = inHand(clock, `stage ${stage.name}`);
    let result = object;
    try {
      const actions = await playStage(stage, object, options.functions);
      if (writesStatus(stage)) await options.beforeStatus();
      for (const action of actions) result = (await options.apply(action)) ?? result;
      floor = Math.max(versionOf(object) + 1, versionOf(result));
      due = undefined;
    } catch (error) {
      due = undefined;
      if (error instanceof TemplateError || isRefusal(error)) {
        floor = versionOf(object) + 1;
        options.onFailed(stage, error);
      } else {
        options.onError(stage, error as Error);
        due = { stage, cancel: clock.after(RETRY_MS, () => void play(stage), { work: true }) };
      }
    } finally {
      playing = false;
      done();
    }
    const newest = latest ?? object;
    if (due === undefined) look(versionOf(newest) < versionOf(result) ? result : newest);
  };
  return {
    look,
    stop() {
      stopped = true;
      due?.cancel();
      due = undefined;
    },
  };
}

const TOO_MANY_REQUESTS = 429;

/** The same would be answered again. */
const isRefusal = (error: unknown): error is StatusError =>
  error instanceof StatusError && error.status.code < 500 && error.status.code !== TOO_MANY_REQUESTS;
