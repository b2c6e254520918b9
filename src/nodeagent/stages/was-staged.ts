import type { DeepReadonly, Pod } from '../../machinery/types.js';
import { STAGES_MANAGER } from './stage-runner.js';

/** A Stage of an agent before this one has written the Pod's status. */
export const wasStaged = ({ metadata }: DeepReadonly<Pod>): boolean =>
  metadata.managedFields?.some(({ manager, subresource }) => manager === STAGES_MANAGER && subresource === 'status') ===
  true;
