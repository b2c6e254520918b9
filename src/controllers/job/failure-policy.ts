import type { DeepReadonly, Job, Pod } from '../../machinery/types.js';

type Policy = DeepReadonly<NonNullable<Job['spec']>['podFailurePolicy']>;
type Rule = NonNullable<Policy>['rules'][number];
type ReadonlyPod = DeepReadonly<Pod>;

export interface PolicyVerdict {
  readonly action?: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  /** False only for Ignore. */
  readonly counts: boolean;
  /** Why the Job fails; with FailJob only. */
  readonly message?: string;
}

const COUNTED: PolicyVerdict = { counts: true };

function matchExitCodes(pod: ReadonlyPod, rule: NonNullable<Rule['onExitCodes']>) {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return statuses.find(status => {
    const exitCode = status.state?.terminated?.exitCode ?? 0;
    if (exitCode === 0 || (rule.containerName !== undefined && rule.containerName !== status.name)) return false;
    return rule.values.includes(exitCode) === (rule.operator === 'In');
  });
}

const matchCondition = (pod: ReadonlyPod, rule: NonNullable<Rule['onPodConditions']>) =>
  (pod.status?.conditions ?? []).find(condition =>
    rule.some(pattern => pattern.type === condition.type && (pattern.status ?? 'True') === condition.status),
  );

/** What the first matching rule says of a failed Pod; without one the failure counts (pod_failure_policy.go). */
export function judgeFailure(policy: Policy, pod: ReadonlyPod): PolicyVerdict {
  for (const [i, rule] of (policy?.rules ?? []).entries()) {
    const action = rule.action as NonNullable<PolicyVerdict['action']>;
    const where = `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
    let what: string | undefined;
    if (rule.onExitCodes !== undefined) {
      const status = matchExitCodes(pod, rule.onExitCodes);
      if (status !== undefined)
        what = `Container ${status.name} for pod ${where} failed with exit code ${status.state?.terminated?.exitCode ?? 0}`;
    } else {
      const condition = matchCondition(pod, rule.onPodConditions ?? []);
      if (condition !== undefined) what = `Pod ${where} has condition ${condition.type}`;
    }
    if (what === undefined) continue;
    const counts = action !== 'Ignore';
    return action === 'FailJob'
      ? { action, counts, message: `${what} matching ${action} rule at index ${i}` }
      : { action, counts };
  }
  return COUNTED;
}
