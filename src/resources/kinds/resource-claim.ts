import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Strategy } from '../strategy.js';
import { list } from '../validation/formats.js';
import { ageCell, nameCell } from './cells.js';

interface ResourceClaim extends KubeObject {
  status?: { allocation?: object; reservedFor?: unknown[] };
}

function stateCell({ metadata, status }: DeepReadonly<ResourceClaim>): string {
  const deleted = metadata.deletionTimestamp !== undefined;
  const states = deleted ? ['deleted'] : [];
  if (status?.allocation !== undefined) {
    states.push('allocated');
    if (list(status.reservedFor).length > 0) states.push('reserved');
  } else if (!deleted) states.push('pending');
  return states.join(',');
}

export const resourceClaimStrategy: Strategy<ResourceClaim> = {
  cells: (claim, nowMs) => ({ cells: [nameCell(claim), stateCell(claim), ageCell(claim, nowMs)] }),
};

export const resourceSliceStrategy: Strategy = {
  unknownFieldLabel: field => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
};
