import type { EventRecorder } from '../../client/event-recorder.js';
import type { ResourceClient } from '../../client/types.js';
import { stageFunctions, type StageFacts } from '../../containers/behaviour/stages/functions.js';
import type { StageAction } from '../../containers/behaviour/stages/play.js';
import { writesStatus, type Stage } from '../../containers/behaviour/stages/types.js';
import { TemplateError } from '../../machinery/go-template/functions.js';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import { isNodeReady } from '../../machinery/node-ready.js';
import { createStageRunner, STAGES_MANAGER, type Staged } from './stage-runner.js';

/** Stages of the agent's own Node. */
export interface NodeStages {
  look(node: DeepReadonly<Node>): void;
  /** A Stage has written the Node's status, and some Stage still goes on with it: the agent keeps its own to itself. */
  readonly held: boolean;
  stop(): void;
}

export interface NodeStagesOptions {
  readonly stages: readonly Stage[];
  readonly nodes: ResourceClient<Node>;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: () => number;
  readonly facts: Omit<StageFacts, 'podIP'>;
  readonly log: Logger;
  /** Called when the status is the agent's again. */
  readonly onReleased: () => void;
}

/** Until the Node has been Ready once, its agent is not done with it: Stages wait for that. */
export function createNodeStages(options: NodeStagesOptions): NodeStages {
  const { stages, nodes, recorder, clock, random, facts, log, onReleased } = options;
  const { nodeName } = facts;
  let begun = false;
  let held = false;
  const noPod = (): never => {
    throw new TemplateError('PodIP: this is no Pod');
  };
  const event = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    recorder.event(
      { kind: 'Node', apiVersion: 'v1', metadata: { name: nodeName, uid: nodeName } },
      type,
      reason,
      message,
    );

  const apply = async (action: StageAction): Promise<Staged | undefined> => {
    const key = { namespace: '', name: nodeName };
    switch (action.kind) {
      case 'event':
        event(action.type, action.reason, action.message);
        return undefined;
      case 'delete':
        await nodes.delete(key);
        return undefined;
      case 'patch': {
        const { type, subresource, body } = action;
        const sub = subresource === undefined ? {} : { subresource };
        return seen(await nodes.patch(key, body, { type, fieldManager: STAGES_MANAGER, ...sub }));
      }
    }
  };
  const runner = createStageRunner({
    stages,
    clock,
    random,
    functions: stageFunctions({ ...facts, podIP: noPod }),
    apply,
    beforeStatus: async () => void (held = true),
    onFailed: ({ name }, error) => event('Warning', 'StageFailed', `Stage ${name}: ${error.message}`),
    onError: ({ name }, error) => log.warn({ stage: name, error: error.message }, 'a Stage failed, will retry'),
  });
  return {
    get held() {
      return held;
    },
    look(node) {
      begun ||= isNodeReady(node);
      if (!begun || stages.length === 0) return;
      const stage = runner.look(seen(node));
      if (!held || (stage !== undefined && writesStatus(stage))) return;
      held = false;
      onReleased();
    },
    stop: () => runner.stop(),
  };
}

/** A Node that its agent has registered runs, to the eyes of Stages; kubelets leave the phase out. */
const seen = (node: DeepReadonly<Node>): Staged =>
  ({ ...node, status: { phase: 'Running', ...node.status } }) as Staged;
