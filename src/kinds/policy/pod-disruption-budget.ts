import { errorList, invalid, notSupported, path, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, PodDisruptionBudget } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { checkConditions } from '../validation/conditions.js';
import { checkNonNegative, checkSelector } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkNotMoreThan100Percent, checkPositiveIntOrPercent } from '../apps/validation/workload.js';
import { ageCell, nameCell } from '../cells.js';

const SPEC = path('spec');
const POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];

function checkBudget({ spec }: DeepReadonly<PodDisruptionBudget>): FieldError[] {
  const out = errorList();
  if (spec === undefined) return out;
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
    out.push(
      invalid(SPEC, goForm('PodDisruptionBudgetSpec', spec), 'minAvailable and maxUnavailable cannot be both set'),
    );
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    checkPositiveIntOrPercent(out, SPEC.child(field), spec[field]);
    checkNotMoreThan100Percent(out, SPEC.child(field), spec[field]);
  }
  if (spec.selector) checkSelector(out, SPEC.child('selector'), spec.selector);
  const policy = spec.unhealthyPodEvictionPolicy;
  if (policy !== undefined && !POLICIES.includes(policy))
    out.push(notSupported(SPEC.child('unhealthyPodEvictionPolicy'), policy, POLICIES));
  return out;
}

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

function checkStatus({ status }: DeepReadonly<PodDisruptionBudget>): FieldError[] {
  const out = errorList();
  const at = path('status');
  checkConditions(out, at.child('conditions'), status?.conditions ?? []);
  for (const field of COUNTS) checkNonNegative(out, at.child(field), status?.[field]);
  return out;
}

const limitCell = (limit: number | string | undefined): string => (limit === undefined ? 'N/A' : String(limit));

export const podDisruptionBudgetStrategy: Strategy<PodDisruptionBudget> = {
  prepareForCreate(_ctx, budget) {
    budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate: (_ctx, budget) => checkBudget(budget),
  validateUpdate: (_ctx, budget) => checkBudget(budget),
  cells(budget, nowMs) {
    const { spec, status } = budget;
    return {
      cells: [
        nameCell(budget),
        limitCell(spec?.minAvailable),
        limitCell(spec?.maxUnavailable),
        status?.disruptionsAllowed ?? 0,
        ageCell(budget, nowMs),
      ],
    };
  },
  subresources: {
    status: {
      kind: 'part',
      validateUpdate: (_ctx, object) => checkStatus(object),
    },
  },
};
