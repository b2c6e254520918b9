import type * as k8s from '@kubernetes/client-node';
import { duplicate, errorList, invalid, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { goLength } from '../../machinery/go-text.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { FIELD_IMMUTABLE } from '../../machinery/validation/object-meta.js';
import type { Strategy } from '../../api/strategy.js';
import { checkCsiDriverName } from './validation/csi.js';
import { checkNonNegative, checkQualifiedName, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell } from '../cells.js';

const SPEC = path('spec');
const CLUSTER = { namespaced: false, name: nameIsDnsSubdomain };

interface CsiNode extends KubeObject {
  spec: { drivers: Wire<k8s.V1CSINodeDriver>[] | null };
}
type NodeDriver = NonNullable<DeepReadonly<CsiNode>['spec']['drivers']>[number];

const MAX_NODE_ID = 256;

function checkNodeDriver(out: FieldError[], at: FieldPath, driver: NodeDriver, names: Set<string>): void {
  const { name, nodeID, allocatable, topologyKeys } = driver;
  checkCsiDriverName(out, at.child('name'), name);
  if (nodeID === '') out.push(required(at.child('nodeID')));
  if (goLength(nodeID) > MAX_NODE_ID)
    out.push(invalid(at.child('nodeID'), nodeID, `must be ${MAX_NODE_ID} characters or less`));
  checkNonNegative(out, at.child('allocatable', 'count'), allocatable?.count);
  if (names.has(name)) out.push(duplicate(at.child('name'), name));
  names.add(name);
  const keys = new Set<string>();
  for (const key of list(topologyKeys)) {
    if (key === '') out.push(required(at));
    if (keys.has(key)) out.push(duplicate(at, key));
    keys.add(key);
    checkQualifiedName(out, at, key);
  }
}

function checkCsiNode({ spec }: DeepReadonly<CsiNode>): FieldError[] {
  const out = errorList();
  const names = new Set<string>();
  const at = SPEC.child('drivers');
  list(spec.drivers).forEach((driver, i) => checkNodeDriver(out, at.index(i), driver, names));
  return out;
}

/** How many volumes a node takes may change; nothing else about a driver that stays. */
const withoutCount = ({ allocatable: _allocatable, ...driver }: NodeDriver): unknown => driver;

export const csiNodeStrategy: Strategy<CsiNode> = {
  validate: (_ctx, node) => checkCsiNode(node),
  validateUpdate(_ctx, node, old) {
    const out = errorList();
    // Upstream runs the rules of creation twice.
    for (let round = 0; round < 2; round++) {
      checkMetadataAgain(out, node, CLUSTER);
      for (const one of checkCsiNode(node)) out.push(one);
    }
    const byName = new Map<string, NodeDriver[]>();
    for (const now of list(node.spec.drivers)) {
      const others = byName.get(now.name);
      if (others === undefined) byName.set(now.name, [now]);
      else others.push(now);
    }
    for (const before of list(old.spec.drivers))
      for (const now of byName.get(before.name) ?? []) {
        if (semanticEqual(withoutCount(now), withoutCount(before))) continue;
        out.push(invalid(SPEC.child('drivers'), goForm('CSINodeDriver', withoutCount(now)), FIELD_IMMUTABLE));
      }
    return out;
  },
  cells: (node, nowMs) => ({ cells: [nameCell(node), list(node.spec.drivers).length, ageCell(node, nowMs)] }),
};
