import type { Clock } from '../../machinery/clock.js';
import { reasonlessError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Converter } from '../../api/conversion.js';
import type { CallWebhook } from '../webhook-client/call.js';
import { WebhookCallError } from '../webhook-client/call-error.js';
import type { ClientConfig } from '../webhook-client/client-config.js';
import { withDeadline } from '../webhook-client/deadline.js';
import { checkSame, restoredMetadata, unstructured } from './check-converted.js';
import { convertedObjects, reviewBody, REVIEWS, reviewVersion } from './review.js';

/** What client-go gives webhooks that say nothing about it. */
const TIMEOUT_SECONDS = 30;
/** What an answer may be long beyond twice what was asked: every object comes back. */
const MORE_BYTES = 5 * 1024 * 1024;

export interface ConversionWebhookOptions {
  readonly call: CallWebhook;
  readonly clock: Clock;
  readonly uuid: () => string;
}

export interface WebhookConversion {
  readonly clientConfig: ClientConfig;
  readonly conversionReviewVersions: readonly string[];
}

/** The words that messages have for one object, and for one of several. */
interface Words {
  readonly gvk: string;
  /** "object at index 0", "converted object at index 3". */
  readonly item: (index: number) => string;
  readonly same: (index: number) => string;
  readonly metadata: (index: number) => string;
}

function wordsOf(objects: readonly KubeObject[]): Words {
  const [{ apiVersion = '', kind = '' } = {}] = objects;
  if (objects.length === 1)
    return {
      gvk: `${apiVersion}, Kind=${kind}`,
      item: () => 'invalid object at index 0',
      same: () => 'invalid object',
      metadata: () => 'invalid metadata',
    };
  const item = (index: number): string => `invalid converted object at index ${index}`;
  return {
    gvk: `${apiVersion}, Kind=${kind}List`,
    item,
    same: item,
    metadata: index => `invalid metadata in object at index ${index}`,
  };
}

/**
 * Objects in another version, by a webhook (apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go). What is in
 * that version already is not sent.
 */
export function createConversionWebhook(
  { clientConfig, conversionReviewVersions }: WebhookConversion,
  { call, clock, uuid }: ConversionWebhookOptions,
): Converter {
  const version = reviewVersion(conversionReviewVersions);

  const ask = async (
    objects: readonly KubeObject[],
    apiVersion: string,
    outer: AbortSignal,
    { gvk }: Words,
  ): Promise<readonly unknown[]> => {
    if (version === undefined) throw reasonlessError('no supported conversion review versions');
    const uid = uuid();
    const body = reviewBody(version, uid, apiVersion, objects);
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
      return convertedObjects(review, version, uid);
    } catch (error) {
      // Whoever asked has gone; or it is a fault of this server's own.
      if (outer.aborted || !(error instanceof WebhookCallError || (error as Error).name === 'Error')) throw error;
      throw reasonlessError(`conversion webhook for ${gvk} failed: ${(error as Error).message}`);
    }
  };

  return async (objects, apiVersion, signal) => {
    const asked = objects.filter(object => object['apiVersion'] !== apiVersion);
    if (asked.length === 0) return objects;
    const words = wordsOf(objects);
    const answers = await ask(asked, apiVersion, signal, words);
    if (answers.length !== asked.length)
      throw reasonlessError(
        `conversion webhook for ${words.gvk} returned ${answers.length} objects, expected ${asked.length}`,
      );
    let index = 0;
    return objects.map(object => {
      if (object['apiVersion'] === apiVersion) return object;
      return converted(object, answers[index], apiVersion, index++, words, objects.length === 1);
    });
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
function converted(
  original: KubeObject,
  sent: unknown,
  apiVersion: string,
  index: number,
  words: Words,
  alone: boolean,
): KubeObject {
  const returned = `conversion webhook for ${words.gvk} returned`;
  const item = `${returned} ${words.item(index)}`;
  const object = within(alone ? '' : item, () => unstructured(sent));
  if (object.apiVersion !== apiVersion)
    throw reasonlessError(`${item}: invalid groupVersion (expected ${apiVersion}, received ${object.apiVersion})`);
  if (object.kind !== original.kind)
    throw reasonlessError(`${item}: invalid kind (expected ${original.kind ?? ''}, received ${object.kind})`);
  within(`${returned} ${words.same(index)}`, () => checkSame(original, object));
  const metadata = within(`${returned} ${words.metadata(index)}`, () => restoredMetadata(original, object));
  return { ...object, metadata };
}
