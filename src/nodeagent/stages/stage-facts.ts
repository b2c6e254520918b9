import type { StageFacts } from '../../containers/behaviour/stages/functions.js';
import { formatTime, type Clock } from '../../machinery/clock.js';
import { nodeConditions } from '../node/node-object.js';

/** What every Stage of a node may ask about it. */
export function nodeStageFacts(node: {
  readonly name: string;
  readonly ip: string;
  readonly kubeletPort: () => number;
  readonly version: string;
  readonly startedAt: number;
  readonly clock: Clock;
}): Omit<StageFacts, 'podIP'> {
  const { clock } = node;
  return {
    now: () => formatTime(clock.now()),
    startTime: formatTime(node.startedAt),
    version: node.version,
    nodeName: node.name,
    nodeIP: node.ip,
    nodePort: node.kubeletPort,
    nodeConditions: () => nodeConditions([], true, clock.now()),
  };
}
