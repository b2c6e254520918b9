import { counter, histogram, type Family } from '../../endpoints/metric-families.js';

/** What is counted about ValidatingAdmissionPolicies, under kube-apiserver's names. */
export interface PolicyMetrics {
  readonly families: readonly Family[];
  checked(check: Check): void;
}

export interface Check {
  readonly policy: string;
  readonly binding: string;
  /** What was said; of which kind it is, is told by its beginning. */
  readonly message: string;
  /** allow: an expression could not be evaluated, and that is to be ignored. */
  readonly action: 'allow' | 'deny' | 'audit' | 'warn';
  readonly elapsedMs: number;
}

const DURATION_BOUNDS = [0.0000005, 0.001, 0.01, 0.1, 1];

/** As upstream tells them apart (plugin/policy/validating/errors.go): what is simply not fulfilled is an invalid_error, too. */
function errorType(message: string): string {
  if (message.startsWith('compilation')) return 'compile_error';
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error';
}

export function createPolicyMetrics(): PolicyMetrics {
  const checks = counter(
    'apiserver_validating_admission_policy_check_total',
    'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
  );
  const durations = histogram(
    'apiserver_validating_admission_policy_check_duration_seconds',
    'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
    DURATION_BOUNDS,
  );
  return {
    families: [checks, durations],
    checked({ policy, binding, message, action, elapsedMs }) {
      const labels = {
        enforcement_action: action,
        error_type: errorType(message),
        policy,
        policy_binding: binding,
      };
      checks.add(labels);
      durations.observe(labels, elapsedMs / 1000);
    },
  };
}
