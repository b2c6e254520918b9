import { errorList, invalid, path } from '../../machinery/field-error.js';
import type { FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject, LabelSelector } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkDnsSubdomain, checkImmutable, checkSelector, list, sortedEntries } from '../validation/formats.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { quantitySign } from '../validation/quantities.js';
import { nameCell, UNSET } from '../cells.js';
import { DEPRECATED_NODE_LABELS } from '../node-labels.js';

interface Capacity extends KubeObject {
  nodeTopology?: LabelSelector;
  storageClassName: string;
  capacity?: string;
}

function checkCapacity(capacity: DeepReadonly<Capacity>): FieldError[] {
  const out = errorList();
  checkSelector(out, path('nodeTopology'), capacity.nodeTopology);
  checkDnsSubdomain(out, path('storageClassName'), capacity.storageClassName);
  if (capacity.capacity !== undefined && quantitySign(capacity.capacity) < 0)
    out.push(invalid(path('capacity'), capacity.capacity, 'must be greater than or equal to 0'));
  return out;
}

function topologyWarnings(topology: DeepReadonly<LabelSelector> | undefined): string[] {
  const expressions = list(topology?.matchExpressions).flatMap(({ key }, i) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`nodeTopology.matchExpressions[${i}].key: ${key} is ${text}`];
  });
  const labels = sortedEntries(topology?.matchLabels).flatMap(([key]) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`nodeTopology.matchLabels.${key}: ${text}`];
  });
  return [...expressions, ...labels];
}

export const csiStorageCapacityStrategy: Strategy<Capacity> = {
  validate: (_ctx, capacity) => checkCapacity(capacity),
  validateUpdate(_ctx, capacity, old) {
    const out = errorList();
    checkMetadataAgain(out, capacity, { namespaced: true, name: nameIsDnsSubdomain });
    for (const one of checkCapacity(capacity)) out.push(one);
    checkImmutable(out, path('nodeTopology'), capacity.nodeTopology, old.nodeTopology);
    checkImmutable(out, path('storageClassName'), capacity.storageClassName, old.storageClassName);
    return out;
  },
  warnings: (_ctx, capacity) => topologyWarnings(capacity.nodeTopology),
  cells: capacity => ({
    cells: [nameCell(capacity), capacity.storageClassName, capacity.capacity ?? UNSET],
  }),
};
