import t from 'tap';
import { realClock } from '../../../src/machinery/clock.js';
import { StatusError } from '../../../src/machinery/status.js';
import type { JsonObject, KubeObject } from '../../../src/machinery/types.js';
import { createConversionWebhook } from '../../../src/server/conversion/conversion-webhook.js';
import { createConversionMetrics } from '../../../src/server/conversion/metrics.js';
import { WebhookCallError } from '../../../src/server/webhook-client/call-error.js';
import type { CallWebhook } from '../../../src/server/webhook-client/call.js';

const V1 = 'example.com/v1';
const V2 = 'example.com/v2';

const widget = (name: string, apiVersion = V1): KubeObject => ({
  apiVersion,
  kind: 'Widget',
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: '7', labels: { a: 'b' }, generation: 3 },
  spec: { from: apiVersion },
});

interface Asked {
  readonly uid: string;
  readonly objects: readonly KubeObject[];
  readonly desiredAPIVersion: string;
}

const review = (response: JsonObject): JsonObject => ({
  kind: 'ConversionReview',
  apiVersion: 'apiextensions.k8s.io/v1',
  response,
});

/** A webhook that converts as it should, but for what `change` makes of its objects. */
const converting =
  (change: (objects: JsonObject[]) => unknown[], asked: Asked[] = []): CallWebhook =>
  ({ body }) => {
    const { request } = JSON.parse(body.toString()) as { request: Asked };
    asked.push(request);
    const objects = request.objects.map(object => ({ ...object, apiVersion: request.desiredAPIVersion }));
    return Promise.resolve(
      review({ uid: request.uid, result: { status: 'Success' }, convertedObjects: change(objects) }),
    );
  };

const convert = (
  call: CallWebhook,
  objects: readonly KubeObject[],
  metrics = createConversionMetrics(realClock),
): Promise<readonly KubeObject[]> => {
  const converter = createConversionWebhook(
    { clientConfig: { url: 'https://hook.example.com' }, conversionReviewVersions: ['v9', 'v1'] },
    { call, clock: realClock, uuid: () => 'the-uid', metrics },
  );
  return metrics.measured('widgets.example.com', converter)(objects, V2, new AbortController().signal);
};

const first = (change: (object: JsonObject) => unknown) =>
  converting(([object, ...more]) => [change(object ?? {}), ...more]);
const metadata = (more: object) =>
  first(object => ({ ...object, metadata: { ...(object['metadata'] as object), ...more } }));
const answering =
  (answer: JsonObject): CallWebhook =>
  () =>
    Promise.resolve(answer);

t.test('what a conversion webhook answers wrongly, in upstream words', async t => {
  const one = 'conversion webhook for example.com/v1, Kind=Widget';
  const rows: { name: string; call: CallWebhook; objects?: KubeObject[]; expect: string }[] = [
    { name: 'none', call: converting(() => []), expect: `${one} returned 0 objects, expected 1` },
    {
      name: 'the same twice',
      call: converting(objects => [...objects, ...objects]),
      expect: `${one} returned 2 objects, expected 1`,
    },
    {
      name: 'not converted',
      call: first(object => ({ ...object, apiVersion: V1 })),
      expect: `${one} returned invalid object at index 0: invalid groupVersion (expected ${V2}, received ${V1})`,
    },
    {
      name: 'another kind',
      call: first(object => ({ ...object, kind: 'Gadget' })),
      expect: `${one} returned invalid object at index 0: invalid kind (expected Widget, received Gadget)`,
    },
    {
      name: 'another name',
      call: metadata({ name: 'other' }),
      expect: `${one} returned invalid object: must have the same name: a != other`,
    },
    {
      name: 'another uid',
      call: metadata({ uid: 'other' }),
      expect: `${one} returned invalid object: must have the same UID: uid-a != other`,
    },
    {
      name: 'text',
      call: first(() => 'x'),
      expect: 'json: cannot unmarshal string into Go value of type map[string]interface {}',
    },
    {
      name: 'no kind',
      call: first(() => ({ apiVersion: V2 })),
      expect: `Object 'Kind' is missing in '{"apiVersion":"${V2}"}'`,
    },
    {
      name: 'a label that is a number',
      call: metadata({ labels: { a: 1 } }),
      expect: `${one} returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object`,
    },
    {
      name: 'labels that are a list',
      call: metadata({ labels: [] }),
      expect: `${one} returned invalid metadata: invalid metadata.labels of type []interface {} in converted object`,
    },
    {
      name: 'a failure',
      call: answering(review({ uid: 'the-uid', result: { status: 'Failure', message: 'cannot' } })),
      expect: `${one} failed: cannot`,
    },
    {
      name: 'a failure without words',
      call: answering(review({ uid: 'the-uid', result: {} })),
      expect: `${one} failed: response.result.status was '', not 'Success'`,
    },
    { name: 'nothing', call: answering(review({})), expect: `${one} failed: expected response.uid="the-uid", got ""` },
    {
      name: 'no response',
      call: answering({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1' }),
      expect: `${one} failed: no response provided`,
    },
    {
      name: 'nobody is there',
      call: () => Promise.reject(new WebhookCallError('Post "https://h": EOF', 503)),
      expect: `${one} failed: Post "https://h": EOF`,
    },
    {
      name: 'one of several',
      call: converting(([a, b]) => [a, { ...b, kind: 'Gadget' }]),
      objects: [widget('a'), widget('b')],
      expect: `${one} returned invalid object at index 1: invalid kind (expected Widget, received Gadget)`,
    },
  ];
  for (const { name, call, objects = [widget('a')], expect } of rows)
    await t.rejects(convert(call, objects), { code: 500, message: expect }, name);
});

t.test('what a conversion webhook may change, and what it is sent', async t => {
  const asked: Asked[] = [];
  const call = converting(
    objects =>
      objects.map(object => ({
        ...object,
        spec: { converted: true },
        metadata: { ...(object['metadata'] as object), generation: 99, finalizers: ['x/y'], labels: { c: 'd' } },
      })),
    asked,
  );
  const there = widget('there', V2);
  const [a, kept, b] = await convert(call, [widget('a'), there, widget('b')]);
  t.equal(kept, there, 'what has the version already is not sent');
  t.same(
    asked[0]?.objects.map(({ metadata }) => [metadata.name, metadata.resourceVersion]),
    [
      ['a', undefined],
      ['b', undefined],
    ],
    'no resourceVersion is sent',
  );
  t.same(a, {
    ...widget('a', V2),
    spec: { converted: true },
    metadata: { ...widget('a').metadata, labels: { c: 'd' } },
  });
  t.equal(b?.metadata.name, 'b');
  t.same(await convert(() => Promise.reject(new Error('asked')), [there]), [there], 'nobody is asked about nothing');
});

t.test('how often webhooks were asked, and why they failed, is counted under upstream names', async t => {
  const metrics = createConversionMetrics(realClock);
  const good = converting(objects => objects);
  const rows: { call: CallWebhook; objects?: KubeObject[]; failure: string }[] = [
    { call: good, failure: '' },
    { call: good, objects: [widget('a', V2)], failure: '' },
    { call: () => Promise.reject(new WebhookCallError('EOF', 503)), failure: 'conversion_webhook_call_failure' },
    { call: answering(review({})), failure: 'conversion_webhook_malformed_response_failure' },
    { call: converting(() => []), failure: 'conversion_webhook_partial_response_failure' },
    { call: metadata({ name: 'other' }), failure: 'conversion_webhook_invalid_converted_object_failure' },
  ];
  for (const { call, objects = [widget('a')] } of rows)
    await convert(call, objects, metrics).catch((error: unknown) => t.type(error, StatusError));
  const text = metrics.families.map(family => family.render()).join('');
  for (const { failure } of rows) {
    const labels = `{failure_type="${failure}",result="${failure === '' ? 'success' : 'failure'}"}`;
    t.match(text, `apiserver_conversion_webhook_request_total${labels} ${failure === '' ? 2 : 1}\n`);
    t.match(text, `apiserver_conversion_webhook_duration_seconds_count${labels} ${failure === '' ? 2 : 1}\n`);
  }
  for (const [succeeded, count] of [
    ['true', 1],
    ['false', 4],
  ] as const) {
    const labels = `{crd_name="widgets.example.com",from_version="v1",succeeded="${succeeded}",to_version="v2"}`;
    t.match(text, `apiserver_crd_conversion_webhook_duration_seconds_count${labels} ${count}\n`);
  }
  t.match(text, 'le="16.384"', 'fifteen bounds');
});
