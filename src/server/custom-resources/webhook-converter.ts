import { cloneJson } from '../../machinery/json-equal.js';
import { formatGo, goTypeName, quote } from '../../machinery/go-text.js';
import { formatFieldError, path } from '../../machinery/field-error.js';
import { reasonlessError } from '../../machinery/status.js';
import type { JsonObject, KubeObject } from '../../machinery/types.js';
import { validateLabels } from '../../machinery/validation/label-selector.js';
import { validateAnnotations } from '../../machinery/validation/object-meta.js';
import type { Converter } from '../../api/conversion.js';
import type { Definition } from './definition.js';

type Webhook = NonNullable<NonNullable<NonNullable<Definition['spec']>['conversion']>['webhook']>;
export type ConversionClientConfig = NonNullable<Webhook['clientConfig']>;

/** Sends a ConversionReview to a webhook; its answer. @throws Error in the words of who called it */
export type CallConversionWebhook = (
  config: ConversionClientConfig,
  review: JsonObject,
  signal: AbortSignal,
) => Promise<JsonObject>;

export interface WebhookConverterOptions {
  readonly call: CallConversionWebhook;
  readonly uuid: () => string;
}

const GROUP = 'apiextensions.k8s.io';
const SPOKEN: readonly string[] = ['v1', 'v1beta1'];
/** Objects of one review. */
const BATCH = 100;

/** A webhook's answer is no good, in upstream's words but for the beginning. */
class AnswerError extends Error {}

const kindText = ({ apiVersion, kind = '' }: KubeObject): string => `${apiVersion ?? ''}, Kind=${kind}`;

/**
 * Objects by way of a definition's conversion webhook. What it may change is checked: not who the object is, and of
 * metadata only labels and annotations. undefined: the definition has no webhook.
 * Source: apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go.
 */
export function webhookConverter(definition: Definition, options: WebhookConverterOptions): Converter | undefined {
  const { strategy, webhook } = definition.spec?.conversion ?? {};
  if (strategy !== 'Webhook' || webhook?.clientConfig === undefined) return undefined;
  const { clientConfig, conversionReviewVersions = [] } = webhook;
  const version = conversionReviewVersions.find(one => SPOKEN.includes(one));

  const convertSome = async (
    objects: readonly KubeObject[],
    apiVersion: string,
    signal: AbortSignal,
  ): Promise<KubeObject[]> => {
    const [first] = objects;
    if (first === undefined) return [];
    const about = `conversion webhook for ${kindText(first)}`;
    if (version === undefined) throw reasonlessError('no supported conversion review versions');
    const uid = options.uuid();
    let answers: readonly unknown[];
    try {
      const review = reviewOf(version, uid, apiVersion, objects);
      answers = convertedObjects(await options.call(clientConfig, review, signal), version, uid);
    } catch (error) {
      signal.throwIfAborted();
      throw reasonlessError(`${about} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (answers.length !== objects.length)
      throw reasonlessError(`${about} returned ${answers.length} objects, expected ${objects.length}`);
    return objects.map((object, i) => {
      try {
        return accepted(object, answers[i], apiVersion);
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error;
        throw reasonlessError(`${about} returned ${error.message}`);
      }
    });
  };

  return async (objects, apiVersion, signal) => {
    const results: KubeObject[] = [];
    for (let at = 0; at < objects.length; at += BATCH)
      for (const one of await convertSome(objects.slice(at, at + BATCH), apiVersion, signal)) results.push(one);
    return results;
  };
}

/** A webhook is not told the version that the object is stored at: what it is asked of may be about to be stored. */
function withoutVersion({ apiVersion, kind, metadata, ...rest }: KubeObject): JsonObject {
  const { resourceVersion: _version, ...meta } = metadata;
  return { apiVersion, kind, metadata: meta, ...rest };
}

const reviewOf = (
  version: string,
  uid: string,
  desiredAPIVersion: string,
  objects: readonly KubeObject[],
): JsonObject => ({
  kind: 'ConversionReview',
  apiVersion: `${GROUP}/${version}`,
  request: { uid, desiredAPIVersion, objects: objects.map(withoutVersion) },
  response: { uid: '', convertedObjects: null, result: { metadata: {} } },
});

const isMap = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws Error */
function convertedObjects(review: JsonObject, version: string, uid: string): readonly unknown[] {
  const { kind, apiVersion, response } = review as { kind?: string; apiVersion?: string; response?: unknown };
  // Of v1beta1 neither was looked at from the beginning.
  const strict = version === 'v1';
  if (strict && (kind !== 'ConversionReview' || apiVersion !== `${GROUP}/v1`))
    throw new Error(
      `expected webhook response of ${GROUP}/v1, Kind=ConversionReview, got ${apiVersion ?? ''}, Kind=${kind ?? ''}`,
    );
  if (!isMap(response)) throw new Error('no response provided');
  const { uid: answered = '', result, convertedObjects = [] } = response;
  if (strict && answered !== uid)
    throw new Error(`expected response.uid=${quote(uid)}, got ${quote(String(answered))}`);
  const { status = '', message = '' } = (isMap(result) ? result : {}) as { status?: string; message?: string };
  if (status !== 'Success')
    throw new Error(message === '' ? `response.result.status was '${status}', not 'Success'` : message);
  return Array.isArray(convertedObjects) ? convertedObjects : [];
}

/** @throws AnswerError */
function accepted(object: KubeObject, answer: unknown, apiVersion: string): KubeObject {
  if (!isMap(answer)) throw new AnswerError(`invalid object: unexpected type ${goTypeName(answer)} at index 0`);
  const given = answer as unknown as KubeObject;
  const { apiVersion: got = '', kind = '' } = given;
  const at = 'invalid object at index 0: invalid';
  if (got !== apiVersion) throw new AnswerError(`${at} groupVersion (expected ${apiVersion}, received ${got})`);
  if (kind !== object.kind) throw new AnswerError(`${at} kind (expected ${object.kind ?? ''}, received ${kind})`);
  const meta: JsonObject = isMap(answer['metadata']) ? answer['metadata'] : {};
  for (const [field, word] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [had, has] = [object.metadata[field] ?? '', formatGo(meta[field] ?? '')];
    if (had !== has) throw new AnswerError(`invalid object: must have the same ${word}: ${had} != ${has}`);
  }
  return { ...given, metadata: restored(object, answer['metadata']) };
}

/** @throws AnswerError */
function restored(object: KubeObject, metadata: unknown): KubeObject['metadata'] {
  const refuse = (why: string): never => {
    throw new AnswerError(`invalid metadata: ${why}`);
  };
  if (metadata === undefined) return refuse('missing metadata in converted object');
  if (!isMap(metadata)) return refuse(`invalid metadata of type ${goTypeName(metadata)} in converted object`);
  const result = cloneJson(object.metadata);
  for (const field of ['labels', 'annotations'] as const) {
    const given = metadata[field];
    if (given === undefined || given === null) {
      delete result[field];
      continue;
    }
    if (!isMap(given)) return refuse(`invalid metadata.${field} of type ${goTypeName(given)} in converted object`);
    const texts: Record<string, string> = {};
    for (const [key, value] of Object.entries(given)) {
      if (typeof value !== 'string')
        return refuse(`metadata.${field}[${key}] must be a string, but is ${goTypeName(value)} in converted object`);
      texts[key] = value;
    }
    const errors =
      field === 'labels'
        ? validateLabels(texts, path('metadata', 'labels'))
        : validateAnnotations(texts, path('metadata', 'annotation'));
    if (errors.length > 0) {
      const all = errors.map(formatFieldError);
      return refuse(all.length === 1 ? all.join('') : `[${all.join(', ')}]`);
    }
    result[field] = texts;
  }
  return result;
}
