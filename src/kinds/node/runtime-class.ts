import { duplicate, errorList, invalid, path, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject, Toleration } from '../../machinery/types.js';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, checkLabels, list, sortedEntries } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkResourceRequirements } from '../core/pod/validation/resources.js';
import { checkTolerations } from '../core/pod/validation/scheduling.js';
import { DEPRECATED_NODE_LABELS } from '../node-labels.js';

interface RuntimeClass extends KubeObject {
  handler: string;
  overhead?: { podFixed?: Record<string, string> };
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] };
}
type ReadonlyClass = DeepReadonly<RuntimeClass>;

const TOLERATIONS = path('scheduling', 'tolerations');

/** What tells tolerations apart; how long they last does not. */
const keyOf = ({ key, operator, value, effect }: DeepReadonly<Toleration>): string =>
  JSON.stringify([key ?? '', operator ?? '', value ?? '', effect ?? '']);

function checkScheduling(out: FieldError[], scheduling: NonNullable<ReadonlyClass['scheduling']>): void {
  checkLabels(out, path('scheduling', 'nodeSelector'), scheduling.nodeSelector);
  checkTolerations(out, TOLERATIONS, scheduling.tolerations);
  const seen = new Set<string>();
  list(scheduling.tolerations).forEach((toleration, i) => {
    const key = keyOf(toleration);
    if (seen.has(key)) out.push(duplicate(TOLERATIONS.index(i), goForm('Toleration', toleration)));
    seen.add(key);
  });
}

function checkClass({ handler, overhead, scheduling }: ReadonlyClass): FieldError[] {
  const out = errorList();
  for (const text of nameIsDnsLabel(handler, false)) out.push(invalid(path('handler'), handler, text));
  // The rules of a container's limits, whose path they take along.
  if (overhead !== undefined) checkResourceRequirements(out, path('overhead'), { limits: overhead.podFixed });
  if (scheduling !== undefined) checkScheduling(out, scheduling);
  return out;
}

function warningsOf({ scheduling }: ReadonlyClass): string[] {
  return sortedEntries(scheduling?.nodeSelector).flatMap(([key]) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`];
  });
}

export const runtimeClassStrategy: Strategy<RuntimeClass> = {
  validate: (_ctx, runtime) => checkClass(runtime),
  validateUpdate(_ctx, runtime, old) {
    const out = errorList();
    checkMetadataAgain(out, runtime, { namespaced: false, name: nameIsDnsSubdomain });
    for (const one of checkClass(runtime)) out.push(one);
    checkImmutable(out, path('handler'), runtime.handler, old.handler);
    return out;
  },
  warnings: (_ctx, runtime) => warningsOf(runtime),
};
