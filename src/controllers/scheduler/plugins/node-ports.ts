import { unschedulable, type Plugin } from '../plugin.js';

export const nodePorts = (): Plugin => ({
  name: 'NodePorts',
  events: ['pod/deleted', 'node/added'],
  preFilter: ({ hostPorts }) => (hostPorts.length === 0 ? { skip: true } : { state: {} }),
  filter: (_state, { hostPorts }, node) =>
    hostPorts.some(port => node.isPortTaken(port))
      ? unschedulable("node(s) didn't have free ports for the requested pod ports")
      : undefined,
});
