import { counter, histogram, type Family } from '../../endpoints/metric-families.js';

/** What is counted about webhooks, under kube-apiserver's names. */
export interface HookMetrics {
  readonly families: readonly Family[];
  asked(labels: HookLabels, seconds: number, outcome: Outcome): void;
  failedOpen(name: string, type: HookLabels['type']): void;
}

export interface HookLabels {
  readonly name: string;
  readonly type: 'admit' | 'validating';
  readonly operation: string;
}

export interface Outcome {
  readonly rejected: boolean;
  readonly code: number;
  readonly error: 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error';
}

const DURATION_BOUNDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];

export function createHookMetrics(): HookMetrics {
  const durations = histogram(
    'apiserver_admission_webhook_admission_duration_seconds',
    'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    DURATION_BOUNDS,
  );
  const rejections = counter(
    'apiserver_admission_webhook_rejection_count',
    'Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and operation. Additional labels specify an error type (calling_webhook_error or apiserver_internal_error if an error occurred; no_error otherwise) and optionally a non-zero rejection code if the webhook rejects the request with an HTTP status code (honored by the apiserver when the code is greater or equal to 400). Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
  );
  const requests = counter(
    'apiserver_admission_webhook_request_total',
    'Admission webhook request total, identified by name and broken out for each admission type (validating or mutating) and operation. Additional labels specify whether the request was rejected or not and an HTTP status code. Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
  );
  const failOpen = counter(
    'apiserver_admission_webhook_fail_open_count',
    'Admission webhook fail open count, identified by name and broken out for each admission type (validating or mutating).',
  );
  return {
    families: [durations, rejections, requests, failOpen],
    asked({ name, type, operation }, seconds, { rejected, code: sent, error }) {
      const code = Math.min(sent, 600);
      durations.observe({ name, type, operation, rejected: String(rejected) }, seconds);
      requests.add({ name, type, operation, code, rejected: String(rejected) });
      if (rejected) rejections.add({ name, type, operation, error_type: error, rejection_code: code });
    },
    failedOpen: (name, type) => failOpen.add({ name, type }),
  };
}
