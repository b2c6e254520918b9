import type { Clock } from '../../machinery/clock.js';
import { reasonlessError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Converter } from '../../api/conversion.js';
import type { CallWebhook } from '../webhook-client/call.js';
import { WebhookCallError } from '../webhook-client/call-error.js';
import type { ClientConfig } from '../webhook-client/client-config.js';
import { withDeadline } from '../webhook-client/deadline.js';
import { checkSame, restoredMetadata, unstructured } from './check-converted.js';
import type { ConversionFailure, ConversionMetrics } from './metrics.js';
import { convertedObjects, reviewBody, REVIEWS, reviewVersion } from './review.js';

/** What client-go gives webhooks that say nothing about it. */
const TIMEOUT_SECONDS = 30;
/** What an answer may be long beyond twice what was asked: every object comes back. */
const MORE_BYTES = 5 * 1024 * 1024;

export interface ConversionWebhookOptions {
  readonly call: CallWebhook;
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly metrics: ConversionMetrics;
}

export interface WebhookConversion {
  readonly clientConfig: ClientConfig;
  readonly conversionReviewVersions: readonly string[];
}

/** Upstream reads objects one by one, so its messages are of one even where several are read. */
const gvkOf = ([first]: readonly KubeObject[]): string => `${first?.apiVersion ?? ''}, Kind=${first?.kind ?? ''}`;

/**
 * Objects in another version, by a webhook (apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go). What is in
 * that version already is not sent.
 */
export function createConversionWebhook(
  { clientConfig, conversionReviewVersions }: WebhookConversion,
  { call, clock, uuid, metrics }: ConversionWebhookOptions,
): Converter {
  const version = reviewVersion(conversionReviewVersions);

  const ask = async (
    objects: readonly KubeObject[],
    apiVersion: string,
    outer: AbortSignal,
    gvk: string,
    told: (failure: ConversionFailure) => void,
  ): Promise<readonly unknown[]> => {
    if (version === undefined) throw reasonlessError('no supported conversion review versions');
    const uid = uuid();
    const body = reviewBody(version, uid, apiVersion, objects);
    let failure: ConversionFailure = 'conversion_webhook_call_failure';
    try {
      const review = await withDeadline(clock, TIMEOUT_SECONDS * 1000, outer, signal =>
        call({
          config: clientConfig,
          body,
          timeoutSeconds: TIMEOUT_SECONDS,
          signal,
          answer: REVIEWS[version],
          maxBytes: 2 * body.length + MORE_BYTES,
        }),
      );
      failure = 'conversion_webhook_malformed_response_failure';
      return convertedObjects(review, version, uid);
    } catch (error) {
      told(failure);
      // Whoever asked has gone; or it is a fault of this server's own.
      if (outer.aborted || !(error instanceof WebhookCallError || (error as Error).name === 'Error')) throw error;
      throw reasonlessError(`conversion webhook for ${gvk} failed: ${(error as Error).message}`);
    }
  };

  return async (objects, apiVersion, signal) => {
    const started = clock.monotonic();
    const told = (failure?: ConversionFailure): void => metrics.asked(clock.monotonic() - started, failure);
    const asked = objects.filter(object => object['apiVersion'] !== apiVersion);
    if (asked.length === 0) {
      told();
      return objects;
    }
    const gvk = gvkOf(asked);
    const answers = await ask(asked, apiVersion, signal, gvk, told);
    if (answers.length !== asked.length) {
      told('conversion_webhook_partial_response_failure');
      throw reasonlessError(
        `conversion webhook for ${gvk} returned ${answers.length} objects, expected ${asked.length}`,
      );
    }
    let index = 0;
    let isValid = false;
    try {
      const result = objects.map(object => {
        if (object['apiVersion'] === apiVersion) return object;
        return converted(object, answers[index], apiVersion, index++, gvk);
      });
      isValid = true;
      return result;
    } finally {
      told(isValid ? undefined : 'conversion_webhook_invalid_converted_object_failure');
    }
  };
}

function within<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw reasonlessError(what === '' ? (error as Error).message : `${what}: ${(error as Error).message}`);
  }
}

/** One answer, if it is what it should be, with the metadata that no webhook may change. @throws StatusError 500 */
function converted(original: KubeObject, sent: unknown, apiVersion: string, index: number, gvk: string): KubeObject {
  const returned = `conversion webhook for ${gvk} returned`;
  const item = `${returned} invalid object at index ${index}`;
  const object = within('', () => unstructured(sent));
  if (object.apiVersion !== apiVersion)
    throw reasonlessError(`${item}: invalid groupVersion (expected ${apiVersion}, received ${object.apiVersion})`);
  if (object.kind !== original.kind)
    throw reasonlessError(`${item}: invalid kind (expected ${original.kind ?? ''}, received ${object.kind})`);
  within(`${returned} invalid object`, () => checkSame(original, object));
  const metadata = within(`${returned} invalid metadata`, () => restoredMetadata(original, object));
  return { ...object, metadata };
}
