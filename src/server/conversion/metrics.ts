import type { Converter } from '../../api/conversion.js';
import type { Clock } from '../../machinery/clock.js';
import { counter, histogram, type Family } from '../endpoints/metric-families.js';

/** Why a webhook has not converted what it was sent. */
export type ConversionFailure =
  | 'conversion_webhook_call_failure'
  | 'conversion_webhook_malformed_response_failure'
  | 'conversion_webhook_partial_response_failure'
  | 'conversion_webhook_invalid_converted_object_failure';

/** What is counted about conversion webhooks, under kube-apiserver's names (apiextensions-apiserver pkg/apiserver/conversion/metrics.go). */
export interface ConversionMetrics {
  readonly families: readonly Family[];
  /** A webhook was asked, or there was nothing to ask it. */
  asked(elapsedMs: number, failure?: ConversionFailure): void;
  /** The same converter, with what it takes for the objects of one definition. */
  measured(definition: string, converter: Converter): Converter;
}

const CALL_BOUNDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60];
/** Fifteen, each twice the one before. */
const CONVERSION_BOUNDS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

const versionOf = (apiVersion: unknown): string => {
  const text = typeof apiVersion === 'string' ? apiVersion : '';
  return text.slice(text.lastIndexOf('/') + 1);
};

export function createConversionMetrics(clock: Clock): ConversionMetrics {
  const requests = counter(
    'apiserver_conversion_webhook_request_total',
    'Counter for conversion webhook requests with success/failure and failure error type',
  );
  const calls = histogram(
    'apiserver_conversion_webhook_duration_seconds',
    'Conversion webhook request latency',
    CALL_BOUNDS,
  );
  const conversions = histogram(
    'apiserver_crd_conversion_webhook_duration_seconds',
    'CRD webhook conversion duration in seconds',
    CONVERSION_BOUNDS,
  );
  return {
    families: [requests, calls, conversions],
    asked(elapsedMs, failure) {
      const labels = { failure_type: failure ?? '', result: failure === undefined ? 'success' : 'failure' };
      requests.add(labels);
      calls.observe(labels, elapsedMs / 1000);
    },
    measured: (definition, converter) => async (objects, apiVersion, signal) => {
      const from = objects.find(object => object['apiVersion'] !== apiVersion);
      if (from === undefined) return converter(objects, apiVersion, signal);
      const started = clock.monotonic();
      const labels = { crd_name: definition, from_version: versionOf(from['apiVersion']) };
      let succeeded = false;
      try {
        const converted = await converter(objects, apiVersion, signal);
        succeeded = true;
        return converted;
      } finally {
        conversions.observe(
          { ...labels, succeeded: String(succeeded), to_version: versionOf(apiVersion) },
          (clock.monotonic() - started) / 1000,
        );
      }
    },
  };
}
