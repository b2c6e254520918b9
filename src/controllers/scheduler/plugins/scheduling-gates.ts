import type { Plugin } from '../plugin.js';

export const schedulingGates = (): Plugin => ({
  name: 'SchedulingGates',
  preEnqueue(pod) {
    const gates = (pod.spec?.schedulingGates ?? []).map(gate => gate.name);
    return gates.length === 0 ? undefined : `waiting for scheduling gates: [${gates.join(' ')}]`;
  },
});
