import {
  forbidden,
  invalid,
  notSupported,
  required,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.js';
import { createRepeatCheck } from '../../../machinery/repeats.js';
import { caBundleProblem } from '../../../machinery/x509/ca-bundle.js';
import { isDns1035Label } from '../../../machinery/validation/names.js';
import type { DeepReadonly } from '../../../machinery/types.js';
import { checkWebhookClient } from '../../admissionregistration/validation/webhook.js';
import { jsonString } from '../internal-json.js';
import type { Conversion } from '../types.js';
import type { Leniency } from './lenient.js';

/** Versions of ConversionReview that the server speaks. */
export const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const STRATEGIES = ['None', 'Webhook'];

export interface ConversionContext {
  readonly lenient: Leniency;
  readonly preserveUnknownFields: boolean;
}

export function checkConversion(
  out: FieldError[],
  at: FieldPath,
  conversion: DeepReadonly<Conversion> | undefined,
  { lenient, preserveUnknownFields }: ConversionContext,
): void {
  if (conversion === undefined) return;
  const { strategy = '', webhook } = conversion;
  if (strategy !== 'None' && preserveUnknownFields) {
    const why = 'must be None if spec.preserveUnknownFields is true';
    out.push(invalid(at.child('strategy'), jsonString(strategy), why));
  }
  if (strategy === '') out.push(required(at.child('strategy')));
  else if (!STRATEGIES.includes(strategy)) out.push(notSupported(at.child('strategy'), strategy, STRATEGIES));
  const { clientConfig, conversionReviewVersions } = webhook ?? {};
  const versions = conversionReviewVersions ?? [];
  const client = at.child('webhookClientConfig');
  const reviews = at.child('conversionReviewVersions');
  if (strategy === 'Webhook') {
    if (clientConfig === undefined) out.push(required(client, 'required when strategy is set to Webhook'));
    else {
      checkWebhookClient(out, client, clientConfig);
      const { caBundle = '' } = clientConfig;
      const problem = caBundle === '' || lenient.badCaBundle ? undefined : caBundleProblem(caBundle);
      if (problem !== undefined) out.push(invalid(client.child('caBundle'), caBundle, problem));
    }
    checkReviewVersions(out, reviews, versions, lenient.unknownReviewVersions);
    return;
  }
  const why = 'should not be set when strategy is not set to Webhook';
  if (clientConfig !== undefined) out.push(forbidden(client, why));
  if (versions.length > 0) out.push(forbidden(reviews, why));
}

function checkReviewVersions(out: FieldError[], at: FieldPath, versions: readonly string[], lenient: boolean): void {
  if (versions.length === 0) return void out.push(required(at));
  const again = createRepeatCheck<string>();
  versions.forEach((version, i) => {
    if (again(version)) return void out.push(invalid(at.index(i), version, 'duplicate version'));
    for (const text of isDns1035Label(version)) out.push(invalid(at.index(i), version, text));
  });
  if (!lenient && !versions.some(version => REVIEW_VERSIONS.includes(version)))
    out.push(invalid(at, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
}
