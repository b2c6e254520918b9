import { stageFunctions } from '../../../containers/behaviour/stages/functions.js';
import { matchesStage } from '../../../containers/behaviour/stages/choose.js';
import type { StageAction } from '../../../containers/behaviour/stages/play.js';
import { writesStatus } from '../../../containers/behaviour/stages/types.js';
import { isStatusError } from '../../../machinery/status.js';
import { createStageRunner, STAGES_MANAGER, type Staged, type StageRunner } from '../../stages/stage-runner.js';
import { createSandbox } from '../sandbox.js';
import type { PodState } from './pod-state.js';
import type { PodWork } from './pod-work.js';

/**
 * Whether Stages see to what becomes of the Pod, and not this agent: they have written its status, or one that will is there
 * before anything of it was started. Of a Pod that is being deleted they do where any of them is about that.
 */
export function followStages(work: PodWork): boolean {
  const { state, deps, stages, wakening } = work;
  if (deps.stages.length === 0 && !state.staged) return false;
  if (isUntouched(state)) state.staged ||= isForStages(work);
  if (state.staged && state.place === undefined) {
    const made = createSandbox(state.pod, state.records, deps, work.events);
    if (made === undefined) return true;
    if ('retryMs' in made) {
      wakening.kickAfter(made.retryMs);
      return true;
    }
    state.place = made;
  }
  const stage = stages.look(state.pod);
  return state.staged && (stage !== undefined || state.pod.metadata.deletionTimestamp === undefined);
}

const isUntouched = ({ admitted, place, finished }: PodState): boolean => !admitted && place === undefined && !finished;

const isForStages = ({ state, deps }: PodWork): boolean =>
  deps.stages.some(stage => writesStatus(stage) && matchesStage(stage, state.pod));

type Playing = Pick<PodWork, 'deps' | 'state' | 'events' | 'writer' | 'runner'>;

/** Plays the Stages of the Pod. */
export function createPodStages(work: Playing): StageRunner {
  const { deps, events, state } = work;
  return createStageRunner({
    stages: deps.stages,
    clock: deps.clock,
    random: deps.random,
    functions: stageFunctions({ ...deps.stageFacts(), podIP: () => state.place?.network.addresses[0] ?? '' }),
    apply: action => apply(work, action),
    beforeStatus: () => takeOver(work),
    onFailed: ({ name }, error) => events.warning('StageFailed', `Stage ${name}: ${error.message}`),
    onError: ({ name }, error) => deps.log.warn({ stage: name, error: error.message }, 'a Stage failed, will retry'),
  });
}

/** From now on Stages alone say what the status is: whatever runs of the Pod ends without a word. */
async function takeOver({ state, runner, writer }: Playing): Promise<void> {
  if (state.staged) return;
  state.staged = true;
  state.life.abort(new Error('Stages have taken over the Pod'));
  runner.stopHealthProbes();
  for (const { running } of state.records) running?.kill('KILL');
  await writer.flush();
}

async function apply({ state, deps, events }: Playing, action: StageAction): Promise<Staged | undefined> {
  const { uid = '', namespace = '', name = '' } = state.pod.metadata;
  if (action.kind === 'event') {
    if (action.type === 'Normal') events.normal(action.reason, action.message);
    else events.warning(action.reason, action.message);
    return undefined;
  }
  try {
    if (action.kind === 'delete') {
      await deps.pods.delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
      return undefined;
    }
    const { type, subresource, body } = action;
    const ofThis = type === 'json' ? body : { ...(body as object), metadata: { ...metadataOf(body), uid } };
    const sub = subresource === undefined ? {} : { subresource };
    return await deps.pods.patch({ namespace, name }, ofThis, {
      type,
      fieldManager: STAGES_MANAGER,
      ...sub,
    });
  } catch (error) {
    // It is gone, or another one has its name.
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return undefined;
    throw error;
  }
}

const metadataOf = (body: unknown): object =>
  typeof body === 'object' && body !== null && 'metadata' in body ? (body.metadata as object) : {};
