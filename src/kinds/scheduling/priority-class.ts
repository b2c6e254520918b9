import { errorList, forbidden, path, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable } from '../validation/formats.js';
import { checkPreemptionPolicy } from '../core/pod/validation/pod-spec.js';
import { ageCell, nameCell } from '../cells.js';

interface PriorityClass extends KubeObject {
  value?: number;
  globalDefault?: boolean;
  description?: string;
  preemptionPolicy?: string;
}
type ReadonlyClass = DeepReadonly<PriorityClass>;

const HIGHEST_USER_PRIORITY = 1_000_000_000;
const SYSTEM_PREFIX = 'system-';

/** Classes that the server makes; their values are above what users may ask for. */
export const SYSTEM_CLASSES: ReadonlyMap<string, number> = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
]);

function checkSystemName(out: FieldError[], name: string, priority: ReadonlyClass): void {
  const known = SYSTEM_CLASSES.get(name);
  const reason =
    known === undefined
      ? `${name} is not a known system priority class`
      : known !== priority.value
        ? `value of ${name} PriorityClass must be ${known}`
        : priority.globalDefault === true
          ? `globalDefault of ${name} PriorityClass must be false`
          : undefined;
  if (reason === undefined) return;
  const text = "priority class names with 'system-' prefix are reserved for system use only. error: ";
  out.push(forbidden(path('metadata', 'name'), text + reason));
}

function checkClass(priority: ReadonlyClass): FieldError[] {
  const out = errorList();
  const name = priority.metadata.name ?? '';
  if (name.startsWith(SYSTEM_PREFIX)) checkSystemName(out, name, priority);
  else if ((priority.value ?? 0) > HIGHEST_USER_PRIORITY) {
    const text = `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`;
    out.push(forbidden('value', text));
  }
  if (priority.preemptionPolicy !== undefined)
    checkPreemptionPolicy(out, path('preemptionPolicy'), priority.preemptionPolicy);
  return out;
}

export const priorityClassStrategy: Strategy<PriorityClass> = {
  default(priority) {
    priority.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  validate: (_ctx, priority) => checkClass(priority),
  validateUpdate(_ctx, priority, old) {
    const out = errorList();
    if ((priority.value ?? 0) !== (old.value ?? 0)) out.push(forbidden('value', 'may not be changed in an update.'));
    checkImmutable(out, path('preemptionPolicy'), priority.preemptionPolicy, old.preemptionPolicy);
    return out;
  },
  cells: (priority, nowMs) => ({
    cells: [
      nameCell(priority),
      priority.value ?? 0,
      priority.globalDefault ?? false,
      ageCell(priority, nowMs),
      priority.preemptionPolicy ?? '',
    ],
  }),
};
