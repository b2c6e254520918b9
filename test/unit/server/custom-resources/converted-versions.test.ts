import t, { type Test } from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { createConversionMetrics } from '../../../../src/server/conversion/metrics.js';
import { createConversionWebhook } from '../../../../src/server/conversion/conversion-webhook.js';
import type { CallWebhook } from '../../../../src/server/webhook-client/call.js';
import type { JsonObject, KubeObject } from '../../../../src/machinery/types.js';
import { given } from '../../../support/steps.js';
import { definedKinds, definitionOf, versionOf, widget, type DefinedKinds } from '../../../support/defined-kinds.js';
import { record } from '../../../support/registries.js';
import { until } from '../../../support/until.js';

const NAME = 'widgets.example.org';

interface Review {
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: KubeObject[] };
}
interface Spec {
  host?: string;
  port?: string;
  hostPort?: string;
}

/** v1 has host and port, v2 has hostPort. */
function converted(object: KubeObject, apiVersion: string): KubeObject {
  const { host = '', port = '', hostPort = '' } = (object['spec'] ?? {}) as Spec;
  const [left = '', right = ''] = hostPort.split(':');
  const spec: Spec = apiVersion.endsWith('/v2') ? { hostPort: `${host}:${port}` } : { host: left, port: right };
  return { ...object, apiVersion, spec };
}

interface FakeWebhook {
  readonly call: CallWebhook;
  readonly reviews: Review['request'][];
  /** What it answers instead. */
  answer: ((request: Review['request']) => JsonObject) | undefined;
}

function fakeWebhook(): FakeWebhook {
  const hook: FakeWebhook = {
    reviews: [],
    answer: undefined,
    async call({ body }) {
      const { request } = JSON.parse(body.toString()) as Review;
      hook.reviews.push(request);
      if (hook.answer !== undefined) return hook.answer(request);
      const convertedObjects = request.objects.map(object => converted(object, request.desiredAPIVersion));
      return success(request.uid, convertedObjects);
    },
  };
  return hook;
}

const success = (uid: string, convertedObjects: unknown): JsonObject => ({
  kind: 'ConversionReview',
  apiVersion: 'apiextensions.k8s.io/v1',
  response: { uid, convertedObjects, result: { status: 'Success' } },
});

const text = { type: 'string' };
const schema = (fields: object): object => ({
  schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: fields } } } },
});

async function start(t: Test): Promise<{ readonly f: DefinedKinds; readonly hook: FakeWebhook }> {
  const hook = fakeWebhook();
  let count = 0;
  const f = await definedKinds(t, {
    converterOf: () =>
      createConversionWebhook(
        { clientConfig: { url: 'https://hook.example.org/' }, conversionReviewVersions: ['v1'] },
        {
          call: hook.call,
          clock: new FakeClock(),
          uuid: () => `uid-${++count}`,
          metrics: createConversionMetrics(new FakeClock()),
        },
      ),
  });
  await f.define(
    definitionOf({
      versions: [
        versionOf('v1', schema({ host: text, port: text })),
        versionOf('v2', { storage: false, ...schema({ hostPort: text }) }),
      ],
      spec: {
        conversion: {
          strategy: 'Webhook',
          webhook: { clientConfig: { url: 'https://hook.example.org/' }, conversionReviewVersions: ['v1'] },
        },
      },
    }),
  );
  await f.established(NAME);
  return { f, hook };
}

const v2 = (name: string, hostPort: string): KubeObject => ({
  ...widget(name, { spec: { hostPort } }),
  apiVersion: 'example.org/v2',
});
const key = (name: string) => ({ namespace: 'default', name });

t.test('objects are read, listed and watched in the version that is asked for', async t => {
  const { f, hook } = await start(t);
  const [one, two] = (['v1', 'v2'] as const).map(v => f.registries.get(f.entry('example.org', v, 'widgets')));
  if (one === undefined || two === undefined) throw new Error('two versions');
  await one.create(f.context(), 'default', widget('a', { spec: { host: 'h', port: '1' } }));
  t.same(hook.reviews, [], 'what is stored as it is needs nobody');
  t.same((await two.get(f.context(), key('a'), {})).object['spec'], { hostPort: 'h:1' });
  t.equal((await two.get(f.context(), key('a'), {})).object.apiVersion, 'example.org/v2');
  t.equal(hook.reviews.length, 2, 'each read of the newest state asks anew');
  t.equal(hook.reviews[0]?.objects[0]?.metadata.resourceVersion, undefined);
  const watch = await record(two, f.context(), '', { resourceVersion: '0' });
  await two.create(f.context(), 'default', v2('b', 'x:2'));
  t.same((await one.get(f.context(), key('b'), {})).object['spec'], { host: 'x', port: '2' }, 'stored in v1');
  await watch.until(2);
  t.same(
    watch.events.map(event => ('object' in event ? event.object.object['spec'] : event.type)),
    [{ hostPort: 'h:1' }, { hostPort: 'x:2' }],
  );
  const { items } = await two.list(f.context(), '', {});
  t.same(
    items.map(item => item.object['spec']),
    [{ hostPort: 'h:1' }, { hostPort: 'x:2' }],
  );
});

const asked = (hook: FakeWebhook): string[] =>
  hook.reviews
    .splice(0)
    .map(({ desiredAPIVersion, objects }) => `${desiredAPIVersion}: ${objects.map(o => o.metadata.name).join()}`);

t.test('what the webhook is asked', async t => {
  const { f, hook } = await start(t);
  const [one, two] = (['v1', 'v2'] as const).map(v => f.registries.get(f.entry('example.org', v, 'widgets')));
  if (one === undefined || two === undefined) throw new Error('two versions');
  for (const name of ['a', 'b', 'c'])
    await one.create(f.context(), 'default', widget(name, { spec: { host: 'h', port: '1' } }));
  await two.get(f.context(), key('a'), { resourceVersion: '0' });
  const toV2 = 'example.org/v2: ';
  const rows: { name: string; act: () => Promise<unknown>; expect: string[] }[] = [
    { name: 'a get', act: () => two.get(f.context(), key('a'), {}), expect: [`${toV2}a`] },
    {
      name: 'a get of what is cached',
      act: () => two.get(f.context(), key('a'), { resourceVersion: '0' }),
      expect: [],
    },
    { name: 'a list: all at once', act: () => two.list(f.context(), '', {}), expect: [`${toV2}a,b,c`] },
    { name: 'again', act: () => two.list(f.context(), '', {}), expect: [`${toV2}a,b,c`] },
    { name: 'a page', act: () => two.list(f.context(), '', { limit: '2' }), expect: [`${toV2}a,b`] },
    { name: 'a cached list', act: () => two.list(f.context(), '', { resourceVersion: '0' }), expect: [] },
    {
      name: 'a list of one',
      act: () => two.list(f.context(), 'default', { fieldSelector: 'metadata.name=b' }),
      expect: [`${toV2}b`],
    },
    { name: 'the version that is stored', act: () => one.list(f.context(), '', {}), expect: [] },
    {
      name: 'an object that goes: before, and as it is stored',
      act: () => two.delete(f.context(), key('c'), { dryRun: false }),
      expect: [`${toV2}c`, 'example.org/v1: c'],
    },
  ];
  asked(hook);
  for (const { name, act, expect } of rows) {
    await act();
    t.same(asked(hook), expect, name);
  }
});

t.test('a write begins with what is stored of the object before', async t => {
  const { f, hook } = await start(t);
  const two = f.registries.get(f.entry('example.org', 'v2', 'widgets'));
  await two.create(f.context(), 'default', v2('a', 'h:1'));
  const { resourceVersion = '' } = (await two.get(f.context(), key('a'), { resourceVersion: '0' })).object.metadata;
  asked(hook);
  const changed = v2('a', 'h:2');
  await two.update(f.context(), key('a'), { ...changed, metadata: { ...changed.metadata, resourceVersion } }, '');
  t.equal(asked(hook)[0], 'example.org/v1: a');
  hook.answer = ({ uid }) => success(uid, []);
  await t.rejects(two.update(f.context(), key('a'), v2('a', 'h:3'), ''), {
    code: 500,
    message: 'conversion webhook for example.org/v2, Kind=Widget returned 0 objects, expected 1',
  });
});

t.test('who owns a field in one version owns it in the other', async t => {
  const { f } = await start(t);
  const [one, two] = (['v1', 'v2'] as const).map(v => f.registries.get(f.entry('example.org', v, 'widgets')));
  if (one === undefined || two === undefined) throw new Error('two versions');
  const apply = (patch: KubeObject) => ({
    type: 'apply' as const,
    decode: () => given({ patch, duplicateKeys: [] }),
    raw: Buffer.from(JSON.stringify(patch)),
    force: false,
  });
  const a = f.context({ fieldManager: 'a' });
  const b = f.context({ fieldManager: 'b' });
  await one.patch(a, key('a'), apply(widget('a', { spec: { host: 'h', port: '1' } })), '');
  await t.rejects(two.patch(b, key('a'), apply(v2('a', 'h:2')), ''), {
    code: 409,
    message: 'Apply failed with 1 conflict: conflict with "a": .spec.port',
  });
});

t.test('a webhook that does not do its work: who asks is told, and asked again it may do better', async t => {
  const { f, hook } = await start(t);
  const [one, two] = (['v1', 'v2'] as const).map(v => f.registries.get(f.entry('example.org', v, 'widgets')));
  if (one === undefined || two === undefined) throw new Error('two versions');
  await one.create(f.context(), 'default', widget('a', { spec: { host: 'h', port: '1' } }));
  hook.answer = ({ uid }) => success(uid, []);
  await t.rejects(two.get(f.context(), key('a'), {}), {
    code: 500,
    message: 'conversion webhook for example.org/v1, Kind=Widget returned 0 objects, expected 1',
  });
  t.equal((await one.get(f.context(), key('a'), {})).object.metadata.name, 'a', 'other versions are read as ever');
  hook.answer = undefined;
  t.same((await two.get(f.context(), key('a'), {})).object['spec'], { hostPort: 'h:1' });
});

t.test('a definition goes while its webhook is gone: what is stored in the storage version needs none', async t => {
  const { f, hook } = await start(t);
  const one = f.registries.get(f.entry('example.org', 'v1', 'widgets'));
  await one.create(f.context(), 'default', widget('a', { spec: { host: 'h', port: '1' } }));
  hook.answer = () => {
    throw new Error('gone');
  };
  const definitions = f.registry('customresourcedefinitions.apiextensions.k8s.io');
  await definitions.delete(f.context(), { namespace: '', name: NAME }, { dryRun: false });
  await until('it is gone', () => f.definition(NAME) === undefined);
});
