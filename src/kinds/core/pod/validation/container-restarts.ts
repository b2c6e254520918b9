import { duplicate, forbidden, invalid, notSupported, required, tooLong } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import { isSidecar, type ReadonlyContainer } from './container-context.js';

export function checkResizePolicy(
  out: FieldError[],
  at: FieldPath,
  policies: ReadonlyContainer['resizePolicy'],
  podRestartPolicy: string | undefined,
): void {
  const seen = new Set<string>();
  (policies ?? []).forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) out.push(duplicate(at.index(i), resourceName));
    seen.add(resourceName);
    if (!resourceName) out.push(required(at));
    else if (resourceName !== 'cpu' && resourceName !== 'memory')
      out.push(notSupported(at, resourceName, ['cpu', 'memory']));
    if (!restartPolicy) out.push(required(at));
    else if (restartPolicy !== 'NotRequired' && restartPolicy !== 'RestartContainer')
      out.push(notSupported(at, restartPolicy, ['NotRequired', 'RestartContainer']));
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired')
      out.push(invalid(at, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
  });
}

const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const MAX_RESTART_RULES = 20;
const MAX_EXIT_CODES = 255;

/** A container's own restart policy and rules (KEP-5307). */
export function checkOwnRestartPolicy(out: FieldError[], at: FieldPath, container: ReadonlyContainer): void {
  const policy = container.restartPolicy;
  const rules = container.restartPolicyRules ?? [];
  if (policy === undefined) {
    if (rules.length === 0) return;
    out.push(required(at.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'));
  } else if (!RESTART_POLICIES.includes(policy))
    out.push(notSupported(at.child('restartPolicy'), policy, RESTART_POLICIES));
  const list = at.child('restartPolicyRules');
  if (rules.length > MAX_RESTART_RULES) out.push(tooLong(list, MAX_RESTART_RULES));
  rules.forEach((rule, i) => {
    const item = list.index(i);
    if (rule.action !== 'Restart') out.push(notSupported(item.child('action'), rule.action ?? '', ['Restart']));
    const codes = rule.exitCodes;
    if (codes === undefined) return void out.push(required(item.child('exitCodes'), 'must be specified'));
    if (codes.operator !== 'In' && codes.operator !== 'NotIn')
      out.push(notSupported(item.child('exitCodes', 'operator'), codes.operator ?? '', ['In', 'NotIn']));
    if ((codes.values?.length ?? 0) > MAX_EXIT_CODES)
      out.push(tooLong(item.child('exitCodes', 'values'), MAX_EXIT_CODES));
  });
}

/** An init container has rules only with a policy, and a sidecar none at all. */
export function checkInitRestartPolicy(out: FieldError[], at: FieldPath, container: ReadonlyContainer): void {
  const ruled = (container.restartPolicyRules ?? []).length > 0;
  if (container.restartPolicy === undefined) {
    if (ruled) out.push(required(at.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'));
  } else if (!isSidecar(container)) checkOwnRestartPolicy(out, at, container);
  else if (ruled) {
    const text = 'restartPolicyRules are not allowed for init containers with restart policy Always';
    out.push(forbidden(at.child('restartPolicyRules'), text));
  }
}
