import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { isStatusError } from '../../../src/machinery/status.js';
import { createTurns } from '../../../src/machinery/turns.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import type { CatalogEntry } from '../../../src/api/catalog.js';
import { createOffLoopValidator } from '../../../src/server/validation/off-loop.js';
import { validateHere } from '../../../src/server/validation/validator.js';
import { isHeavy } from '../../../src/server/validation/weight.js';
import { context, strategies } from '../../support/kinds.js';
import { eventually } from '../../support/registries.js';

const catalog = createCatalog(strategies);

function entry(resource: string): CatalogEntry {
  const found = catalog.preferred(resource);
  if (found === undefined) throw new Error(`no ${resource}`);
  return found;
}

const many = <T>(make: (i: number) => T): T[] => Array.from({ length: 12_000 }, (_, i) => make(i));

const pod = (env: unknown[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z', uid: 'u' },
  spec: {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    containers: [{ name: 'c', image: 'i', imagePullPolicy: 'Always', terminationMessagePolicy: 'File', env }],
  },
});

function open(): { validate: ReturnType<typeof createOffLoopValidator>; clock: FakeClock; close: () => void } {
  const stopping = new AbortController();
  const clock = new FakeClock();
  const validate = createOffLoopValidator({ clock, turns: createTurns(clock), signal: stopping.signal });
  return { validate, clock, close: () => stopping.abort() };
}

/** What a validation comes to, as text. */
async function outcome(run: () => string[] | Promise<string[]>): Promise<string> {
  try {
    return `warnings ${JSON.stringify(await run())}`;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return JSON.stringify(error.status);
  }
}

t.test('a big object is answered from the thread as it would be here', async t => {
  const { validate, close } = open();
  t.teardown(close);
  const write = (resource: string, object: KubeObject, old?: KubeObject, subresource = '') => ({
    entry: entry(resource),
    write: { subresource, partly: subresource !== '', object, old },
  });
  const rows = {
    'a new Pod that is valid, with warnings': write('pods', pod(many(i => ({ name: `a${i % 3}`, value: '1' })))),
    'a new Pod with many problems': write('pods', pod(many(i => ({ name: `=${i}` })))),
    'a Pod that may not change so': write('pods', pod(many(i => ({ name: `n${i}` }))), pod([])),
    'a status of its own rules': write(
      'pods',
      { ...pod([]), status: { podIPs: many(i => ({ ip: `10.0.0.${i}` })) } },
      pod([]),
      'status',
    ),
    'a claim that asks for its Namespace': write('resourceclaims.resource.k8s.io', {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: { name: 'c', namespace: 'ns', labels: Object.fromEntries(many(i => [`l${i}`, 'v'])) },
      spec: { devices: { requests: [{ name: 'r', exactly: { adminAccess: true, deviceClassName: 'd' } }] } },
    }),
  };
  const objects = { 'namespaces//ns': { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns', labels: {} } } };
  for (const [name, { entry, write }] of Object.entries(rows)) {
    t.ok(isHeavy(write.object), `${name}: is big`);
    const there = validate(entry, context(objects), write);
    t.type(there, Promise, `${name}: the caller goes on`);
    t.equal(await outcome(() => there), await outcome(() => validateHere(entry, context(objects), write)), name);
  }
});

t.test('a long expression is compiled in the thread', async t => {
  const { validate, close } = open();
  t.teardown(close);
  const long = Array.from({ length: 1100 }, () => 'true && ').join('') + 'true';
  const meta = { name: 'a.example.com' };
  const schema = { type: 'object', 'x-kubernetes-validations': [{ rule: long }] };
  const rows: Record<string, object> = {
    'customresourcedefinitions.apiextensions.k8s.io': {
      spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }] },
    },
    'validatingadmissionpolicies.admissionregistration.k8s.io': { spec: { validations: [{ expression: long }] } },
    'validatingwebhookconfigurations.admissionregistration.k8s.io': {
      webhooks: [{ name: 'a.example.com', clientConfig: {}, matchConditions: [{ name: 'a', expression: long }] }],
    },
    'mutatingwebhookconfigurations.admissionregistration.k8s.io': {
      webhooks: [{ name: 'a.example.com', clientConfig: {}, matchConditions: [{ name: 'a', expression: long }] }],
    },
    'deviceclasses.resource.k8s.io': { spec: { selectors: [{ cel: { expression: long } }] } },
    'resourceclaims.resource.k8s.io': {
      spec: { devices: { requests: [{ name: 'r', exactly: { selectors: [{ cel: { expression: long } }] } }] } },
    },
    'resourceclaimtemplates.resource.k8s.io': {
      spec: {
        spec: { devices: { requests: [{ name: 'r', exactly: { selectors: [{ cel: { expression: long } }] } }] } },
      },
    },
  };
  for (const [resource, rest] of Object.entries(rows)) {
    const object = { metadata: meta, ...rest } as KubeObject;
    const there = validate(entry(resource), context(), { subresource: '', partly: false, object, old: undefined });
    t.type(there, Promise, resource);
    await Promise.resolve(there).catch(error => t.ok(isStatusError(error), `${resource}: ${String(error)}`));
  }
});

t.test('a small object is validated at once', t => {
  const { validate, close } = open();
  t.teardown(close);
  t.same(validate(entry('pods'), context(), { subresource: '', partly: false, object: pod([]), old: undefined }), []);
  t.end();
});

t.test('what takes too long is ended and told, and the next one is answered', async t => {
  const { validate, clock, close } = open();
  t.teardown(close);
  const object = pod(many(i => ({ name: `n${i}`, value: 'v' })));
  const write = { subresource: '', partly: false, object, old: undefined };
  const rejected = t.rejects(Promise.resolve(validate(entry('pods'), context(), write)), { code: 504 });
  await eventually('the thread is asked', () => clock.waiting > 0);
  clock.step(20_000);
  await rejected;
  t.same(await validate(entry('pods'), context(), write), []);
});

t.test('weight', t => {
  t.notOk(isHeavy({ a: Array.from({ length: 100 }, () => ({ b: 1 })) }));
  t.ok(isHeavy({ a: many(i => i) }));
  t.ok(isHeavy(Object.fromEntries(many(i => [`k${i}`, 'v']))));
  t.notOk(isHeavy({ data: 'x'.repeat(1024 * 1024) }), 'text is looked at quickly');
  t.ok(isHeavy([['x'.repeat(5_000), 'x'.repeat(5_000)]], 5));
  const texts = new Map([['rule', 8]]);
  t.ok(isHeavy({ rule: 'x'.repeat(9_000) }, 1000, 30, texts), 'an expression');
  t.notOk(isHeavy({ description: 'x'.repeat(9_000) }, 1000, 30, texts), 'other text of the same length');
  t.end();
});
