import { duplicate, forbidden, invalid, notSupported, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, LabelSelector, PodSpec, Toleration } from '../../../../machinery/types.js';
import {
  checkDnsLabel,
  checkLabelKey,
  checkSelector,
  dnsSubdomainErrors,
  labelValueErrors,
} from '../../../validation/formats.js';
import { createRepeatCheck } from '../../../../machinery/repeats.js';

type Spec = DeepReadonly<PodSpec>;
type Affinity = NonNullable<Spec['affinity']>;
type NodeAffinity = NonNullable<Affinity['nodeAffinity']>;
export type NodeSelector = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>;
type NodeSelectorTerm = NodeSelector['nodeSelectorTerms'][number];
type PodAffinity = NonNullable<Affinity['podAffinity']>;
type PodAffinityTerm = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number];
type SpreadConstraint = NonNullable<Spec['topologySpreadConstraints']>[number];
type Requirement = NonNullable<NodeSelectorTerm['matchExpressions']>[number];

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

/** Taint effects, in the order of upstream's message. */
export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function checkRequirement(out: FieldError[], at: FieldPath, rule: Requirement, strictValues: boolean): void {
  const values = rule.values ?? [];
  switch (rule.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        out.push(required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        out.push(forbidden(at.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1)
        out.push(required(at.child('values'), "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      break;
    default:
      out.push(invalid(at.child('operator'), rule.operator ?? '', 'not a valid selector operator'));
  }
  checkLabelKey(out, at.child('key'), rule.key ?? '');
  if (!strictValues) return;
  values.forEach((value, i) => {
    for (const text of labelValueErrors(value)) out.push(invalid(at.child('values').index(i), value, text));
  });
}

function checkFieldRequirement(out: FieldError[], at: FieldPath, rule: Requirement): void {
  const values = rule.values ?? [];
  if (rule.operator !== 'In' && rule.operator !== 'NotIn')
    out.push(invalid(at.child('operator'), rule.operator ?? '', 'not a valid selector operator'));
  else if (values.length !== 1) {
    const text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    out.push(required(at.child('values'), text));
  }
  if (rule.key !== 'metadata.name')
    return void out.push(invalid(at.child('key'), rule.key ?? '', 'not a valid field selector key'));
  values.forEach((value, i) => {
    for (const text of dnsSubdomainErrors(value)) out.push(invalid(at.child('values').index(i), value, text));
  });
}

function checkTerm(out: FieldError[], at: FieldPath, term: NodeSelectorTerm, strictValues: boolean): void {
  (term.matchExpressions ?? []).forEach((rule, i) =>
    checkRequirement(out, at.child('matchExpressions').index(i), rule, strictValues),
  );
  (term.matchFields ?? []).forEach((rule, i) => checkFieldRequirement(out, at.child('matchFields').index(i), rule));
}

export function checkNodeSelector(out: FieldError[], at: FieldPath, selector: NodeSelector): void {
  const terms = selector.nodeSelectorTerms ?? [];
  const field = at.child('nodeSelectorTerms');
  if (terms.length === 0) out.push(required(field, 'must have at least one node selector term'));
  terms.forEach((term, i) => checkTerm(out, field.index(i), term, true));
}

function checkWeight(out: FieldError[], at: FieldPath, weight: number | undefined): void {
  const value = weight ?? 0;
  if (value <= 0 || value > 100) out.push(invalid(at.child('weight'), value, 'must be in the range 1-100'));
}

function checkLabelKeys(
  out: FieldError[],
  at: FieldPath,
  keys: readonly string[] | undefined,
  selector: DeepReadonly<LabelSelector> | undefined,
): void {
  if (keys === undefined || keys.length === 0) return;
  if (selector === undefined) out.push(forbidden(at, 'must not be specified when labelSelector is not set'));
  else keys.forEach((key, i) => checkLabelKey(out, at.index(i), key));
}

/**
 * A key that the selector has beside the expression which the Pod's strategy made of it. Of keys that are listed twice
 * the last place is shown.
 */
function checkSelectedTwice(
  out: FieldError[],
  at: FieldPath,
  keys: readonly string[] | undefined,
  selector: DeepReadonly<LabelSelector> | undefined,
): void {
  if (keys === undefined || selector === undefined) return;
  const seen = new Set(Object.keys(selector.matchLabels ?? {}));
  const places = new Map(keys.map((key, i) => [key, i]));
  for (const { key } of selector.matchExpressions ?? []) {
    const i = places.get(key);
    if (i !== undefined && seen.has(key))
      out.push(invalid(at.index(i), key, 'exists in both matchLabelKeys and labelSelector'));
    seen.add(key);
  }
}

function checkPodTerm(out: FieldError[], at: FieldPath, term: PodAffinityTerm): void {
  checkSelector(out, at.child('labelSelector'), term.labelSelector);
  checkSelector(out, at.child('namespaceSelector'), term.namespaceSelector);
  for (const name of term.namespaces ?? []) checkDnsLabel(out, at.child('namespace'), name);
  checkLabelKeys(out, at.child('matchLabelKeys'), term.matchLabelKeys, term.labelSelector);
  checkLabelKeys(out, at.child('mismatchLabelKeys'), term.mismatchLabelKeys, term.labelSelector);
  checkSelectedTwice(out, at, term.matchLabelKeys, term.labelSelector);
  const mismatched = new Set(term.mismatchLabelKeys ?? []);
  (term.matchLabelKeys ?? []).forEach((key, i) => {
    if (mismatched.has(key)) {
      const text = 'exists in both matchLabelKeys and mismatchLabelKeys';
      out.push(invalid(at.child('matchLabelKeys').index(i), key, text));
    }
  });
  if (!term.topologyKey) out.push(required(at.child('topologyKey'), 'can not be empty'));
  checkLabelKey(out, at.child('topologyKey'), term.topologyKey ?? '');
}

function checkPodAffinity(out: FieldError[], at: FieldPath, affinity: PodAffinity | undefined): void {
  (affinity?.[REQUIRED] ?? []).forEach((term, i) => checkPodTerm(out, at.child(REQUIRED).index(i), term));
  (affinity?.[PREFERRED] ?? []).forEach((weighted, i) => {
    const item = at.child(PREFERRED).index(i);
    checkWeight(out, item, weighted.weight);
    checkPodTerm(out, item.child('podAffinityTerm'), weighted.podAffinityTerm);
  });
}

export function checkAffinity(out: FieldError[], at: FieldPath, affinity: Spec['affinity']): void {
  if (affinity === undefined) return;
  const node = affinity.nodeAffinity;
  const nodeAt = at.child('nodeAffinity');
  if (node?.[REQUIRED] !== undefined) checkNodeSelector(out, nodeAt.child(REQUIRED), node[REQUIRED]);
  (node?.[PREFERRED] ?? []).forEach((weighted, i) => {
    const item = nodeAt.child(PREFERRED).index(i);
    checkWeight(out, item, weighted.weight);
    checkTerm(out, item.child('preference'), weighted.preference, false);
  });
  checkPodAffinity(out, at.child('podAffinity'), affinity.podAffinity);
  checkPodAffinity(out, at.child('podAntiAffinity'), affinity.podAntiAffinity);
}

const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway'];
const INCLUSION = ['Honor', 'Ignore'];

function checkSpread(out: FieldError[], at: FieldPath, constraint: SpreadConstraint, comesAgain: boolean): void {
  const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
  if ((maxSkew ?? 0) <= 0) out.push(invalid(at.child('maxSkew'), maxSkew ?? 0, 'must be greater than zero'));
  if (!topologyKey) out.push(required(at.child('topologyKey'), 'can not be empty'));
  if (!ACTIONS.includes(whenUnsatisfiable))
    out.push(notSupported(at.child('whenUnsatisfiable'), whenUnsatisfiable ?? '', ACTIONS));
  if (comesAgain)
    out.push(duplicate(at.child('{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${whenUnsatisfiable}}`));
  if (minDomains !== undefined) {
    if (minDomains <= 0) out.push(invalid(at.child('minDomains'), minDomains, 'must be greater than zero'));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      out.push(invalid(at.child('minDomains'), minDomains, text));
    }
  }
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    const policy = constraint[field];
    if (policy !== undefined && !INCLUSION.includes(policy)) out.push(notSupported(at.child(field), policy, INCLUSION));
  }
  checkLabelKeys(out, at.child('matchLabelKeys'), constraint.matchLabelKeys, constraint.labelSelector);
  checkSelectedTwice(out, at, constraint.matchLabelKeys, constraint.labelSelector);
  checkSelector(out, at.child('labelSelector'), constraint.labelSelector);
}

export function checkTopologySpread(
  out: FieldError[],
  at: FieldPath,
  constraints: Spec['topologySpreadConstraints'],
): void {
  const list = constraints ?? [];
  const again = createRepeatCheck<string>();
  const repeated = list
    .map(({ topologyKey, whenUnsatisfiable }) => JSON.stringify([topologyKey, whenUnsatisfiable]))
    .reverse()
    .map(key => again(key))
    .reverse();
  list.forEach((constraint, i) => checkSpread(out, at.index(i), constraint, repeated[i] === true));
}

export function checkTaintEffect(
  out: FieldError[],
  at: FieldPath,
  effect: string | undefined,
  allowEmpty: boolean,
): void {
  if (!effect && !allowEmpty) out.push(required(at));
  else if (!TAINT_EFFECTS.includes(effect ?? '')) out.push(notSupported(at, effect ?? '', TAINT_EFFECTS));
}

export function checkTolerations(
  out: FieldError[],
  at: FieldPath,
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
): void {
  (tolerations ?? []).forEach((toleration, i) => {
    const item = at.index(i);
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
    if (key !== '') checkLabelKey(out, item.child('key'), key);
    if (key === '' && operator !== 'Exists') {
      const text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      out.push(invalid(item.child('operator'), operator, text));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      out.push(invalid(item.child('effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Equal' || operator === '') {
      const errors = labelValueErrors(value);
      if (errors.length > 0) out.push(invalid(item.child('operator'), value, errors.join(';')));
    } else if (operator === 'Exists') {
      if (value !== '')
        out.push(invalid(item.child('operator'), value, "value must be empty when `operator` is 'Exists'"));
    } else {
      // Comparisons are known, but their feature gate is off.
      const known = operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists'];
      out.push(notSupported(item.child('operator'), operator, known));
    }
    if (effect !== '') checkTaintEffect(out, item.child('effect'), effect, true);
  });
}
