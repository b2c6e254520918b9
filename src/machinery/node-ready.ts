import type { DeepReadonly, Node } from './types.js';

/** Whether its agent says that it takes Pods and traffic, and has not gone silent. */
export const isNodeReady = ({ status }: DeepReadonly<Node>): boolean =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
