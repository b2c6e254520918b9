import { unresolvable, type Plugin } from '../plugin.js';

export const nodeName = (): Plugin => ({
  name: 'NodeName',
  events: ['node/added'],
  filter(_state, { pod }, node) {
    const wanted = pod.spec?.nodeName ?? '';
    return wanted === '' || wanted === node.name
      ? undefined
      : unresolvable("node(s) didn't match the requested node name");
  },
});
