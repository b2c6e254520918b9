import { errorsOf, forbidden, invalid, notSupported, path, required } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { labelSelectorAsSelector } from '../../../machinery/labels.js';
import type { DeepReadonly, LabelSelector, PodTemplateSpec } from '../../../machinery/types.js';
import { validateLabelSelector } from '../../../machinery/validation/label-selector.js';
import { isDns1123Label, isPercent } from '../../../machinery/validation/names.js';
import { checkNonNegative, checkSelector, sortedMap, sortedSelector } from '../../validation/formats.js';
import { checkPodTemplate } from '../../core/pod/validation/pod-template.js';

/** Null: the wire carries it where the field is always written. */
type Selector = DeepReadonly<LabelSelector> | null;
export type Template = DeepReadonly<PodTemplateSpec>;

export const isEmptySelector = (selector: Selector | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length === 0;

/** A selector of a workload: there, not empty, and well-formed. `what` names the kind in the message. */
export function checkWorkloadSelector(
  out: FieldError[],
  at: FieldPath,
  selector: Selector | undefined,
  what: string,
): void {
  if (!selector) return void out.push(required(at));
  checkSelector(out, at, selector);
  if (isEmptySelector(selector))
    out.push(invalid(at, sortedSelector(selector), `empty selector is invalid for ${what}`));
}

type Labels = Readonly<Record<string, string>>;

/** Undefined: the selector is malformed, which says nothing about the labels. A missing one matches nothing. */
export function selectorMatches(selector: Selector | undefined, labels: Labels): boolean | undefined {
  if (!selector) return false;
  // The rules of a well-formed selector and those of a usable one are the same.
  if (errorsOf(() => validateLabelSelector(selector, path('selector'))).length > 0) return undefined;
  return labelSelectorAsSelector(selector).matches(labels);
}

/** The selector must select the template's Pods. A missing selector selects nothing, an empty one is not asked. */
export function checkSelected(
  out: FieldError[],
  at: FieldPath,
  selector: Selector | undefined,
  template: Template,
): void {
  if (selector && isEmptySelector(selector)) return;
  checkTemplateLabels(out, at, selector, template);
}

/** The same, without the exception for an empty selector. `at` is the template. */
export function checkTemplateLabels(
  out: FieldError[],
  at: FieldPath,
  selector: Selector | undefined,
  template: Template | undefined,
): void {
  const labels = template?.metadata?.labels;
  if (selectorMatches(selector, labels ?? {}) !== false) return;
  const text = '`selector` does not match template `labels`';
  out.push(invalid(at.child('metadata', 'labels'), labels === undefined ? null : sortedMap(labels), text));
}

const EMPTY_TEMPLATE: Template = {};

/** Whether the selector can be used; if not, upstream says so (in the words of `text`) and leaves the template alone. */
export function checkUsable(out: FieldError[], at: FieldPath, selector: Selector | undefined, text: string): boolean {
  if (!selector || selectorMatches(selector, {}) !== undefined) return true;
  out.push(invalid(at, sortedSelector(selector), text));
  return false;
}

/** Pods of a workload that keeps them running: restartPolicy Always, no deadline. `spec` is the workload's spec. */
export function checkRunningTemplate(
  out: FieldError[],
  spec: FieldPath,
  selector: Selector | undefined,
  template: Template | undefined,
  what: string,
): void {
  if (!checkUsable(out, spec.child('selector'), selector, 'invalid label selector')) return;
  const at = spec.child('template');
  const checked = template ?? EMPTY_TEMPLATE;
  checkSelected(out, at, selector, checked);
  checkPodTemplate(out, at, checked);
  checkAlways(out, at, checked, what);
}

export function checkAlways(out: FieldError[], at: FieldPath, template: Template, what: string): void {
  const policy = template.spec?.restartPolicy ?? '';
  if (policy !== 'Always') out.push(notSupported(at.child('spec', 'restartPolicy'), policy, ['Always']));
  if (template.spec?.activeDeadlineSeconds !== undefined)
    out.push(forbidden(at.child('spec', 'activeDeadlineSeconds'), `activeDeadlineSeconds in ${what} is not Supported`));
}

/** A count or a percentage. */
export function checkPositiveIntOrPercent(out: FieldError[], at: FieldPath, value: unknown): void {
  if (typeof value === 'string') for (const text of isPercent(value)) out.push(invalid(at, value, text));
  else if (typeof value === 'number') checkNonNegative(out, at, value);
}

/** The number before "%"; undefined for anything else. */
export const percentOf = (value: unknown): number | undefined =>
  typeof value === 'string' && /^[0-9]+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;

export function checkNotMoreThan100Percent(out: FieldError[], at: FieldPath, value: unknown): void {
  const percent = percentOf(value);
  if (percent !== undefined && percent > 100) out.push(invalid(at, value, 'must not be greater than 100%'));
}

/** 0, "0%", or a text that is no percentage: upstream reads it as a number then, and Atoi's 0 when it is none. */
export const isZeroIntOrPercent = (value: unknown): boolean =>
  value === 0 || (typeof value === 'string' && (percentOf(value) ?? atoi(value)) === 0);

const atoi = (text: string): number => (/^[+-]?[0-9]+$/.test(text) ? Number(text) : 0);

const STATUS = path('status');
type Counts = Readonly<Record<string, unknown>>;

/** Counts of a status: none negative; those in `within` at most `replicas`. Upstream checks all signs first. */
export function checkCounts(
  out: FieldError[],
  status: Counts,
  counts: readonly string[],
  within: readonly string[],
): void {
  const value = (field: string): number => Number(status[field] ?? 0);
  for (const field of counts) checkNonNegative(out, STATUS.child(field), value(field));
  for (const field of within)
    if (value(field) > value('replicas'))
      out.push(invalid(STATUS.child(field), value(field), 'cannot be greater than status.replicas'));
}

export function checkAvailableWithinReady(out: FieldError[], status: Counts, text: string): void {
  const available = Number(status['availableReplicas'] ?? 0);
  if (available > Number(status['readyReplicas'] ?? 0))
    out.push(invalid(STATUS.child('availableReplicas'), available, text));
}

/** The count of name collisions only grows. */
export function checkCollisions(out: FieldError[], status: Counts, old: Counts | undefined): void {
  const before = old?.['collisionCount'];
  const now = Number(status['collisionCount'] ?? 0);
  if (before !== undefined && now < Number(before))
    out.push(invalid(STATUS.child('collisionCount'), now, 'cannot be decremented'));
}

/** The name of a workload becomes part of its Pods' names. */
export function nameWarnings(name: string | undefined): string[] {
  const texts = isDns1123Label(name ?? '');
  if (texts.length === 0) return [];
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${texts.join(' ')}]`,
  ];
}

/** Upstream holds both limits as plain values: the one that is left out is 0. Mutates. */
export function setRollingZeros(rolling: { maxUnavailable?: unknown; maxSurge?: unknown } | undefined): void {
  if (rolling === undefined) return;
  rolling.maxUnavailable ??= 0;
  rolling.maxSurge ??= 0;
}
