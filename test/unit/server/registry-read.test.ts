import t from 'tap';
import { StatusError } from '../../../src/machinery/status.js';
import type { ListQuery, ListResult } from '../../../src/server/registry/types.js';
import { decodeContinue, encodeContinue } from '../../../src/server/registry/continue-token.js';
import { eventually, fixture, record, summary, type Fixture } from '../../support/registries.js';

const secret = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, labels },
  type: 'Opaque',
});

async function seed(f: Fixture, names: readonly string[], namespace = 'ns'): Promise<void> {
  const secrets = f.registry('secrets');
  for (const name of names) await secrets.create(f.context(), namespace, secret(name));
}

const names = (result: ListResult): string => result.items.map(i => i.key.name).join(' ');

/** "code reason message", or what the promise gave. */
async function outcome<T>(promise: Promise<T>, show: (value: T) => string): Promise<string> {
  try {
    return show(await promise);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return `${error.code} ${error.reason ?? '-'} ${error.message}`;
  }
}

const OPTIONS = 'ListOptions.meta.k8s.io "" is invalid: ';

const FORGED = '400 BadRequest invalid continue token: continue key is not valid: ';
const forged = (text: string): string => Buffer.from(text).toString('base64url');

t.test('the table of resourceVersion, resourceVersionMatch and limit', async t => {
  const f = await fixture();
  t.teardown(f.close);
  // Revisions: a=1, b=2, c=3, delete b=4, update of a=5 (another kind: 6).
  await seed(f, ['a', 'b', 'c']);
  const secrets = f.registry('secrets');
  await secrets.delete(f.context(), { namespace: 'ns', name: 'b' }, { dryRun: false });
  await secrets.update(f.context(), { namespace: 'ns', name: 'a' }, { ...secret('a', { x: 'y' }) }, '');
  await f.registry('configmaps').create(f.context(), 'ns', { metadata: { name: 'other' } });

  const cases: { query: ListQuery; expect: string }[] = [
    { query: {}, expect: '6: a c' },
    { query: { resourceVersion: '0' }, expect: '6: a c' },
    { query: { resourceVersion: '0', limit: '1' }, expect: '6: a c' },
    { query: { resourceVersion: '0', resourceVersionMatch: 'NotOlderThan', limit: '1' }, expect: '6: a c' },
    { query: { limit: '1' }, expect: '6: a +1' },
    { query: { limit: '2' }, expect: '6: a c' },
    { query: { limit: '-3' }, expect: '6: a c' },
    { query: { resourceVersion: '2' }, expect: '6: a c' },
    { query: { resourceVersion: '2', resourceVersionMatch: 'NotOlderThan' }, expect: '6: a c' },
    { query: { resourceVersion: '2', resourceVersionMatch: 'NotOlderThan', limit: '1' }, expect: '6: a +1' },
    { query: { resourceVersion: '2', resourceVersionMatch: 'Exact' }, expect: '2: a b' },
    { query: { resourceVersion: '3', resourceVersionMatch: 'Exact', limit: '2' }, expect: '3: a b +1' },
    { query: { resourceVersion: '3', limit: '1' }, expect: '3: a +2' },
    { query: { resourceVersion: '3', limit: '1', labelSelector: '!x' }, expect: '3: a +?' },
    { query: { limit: '1', labelSelector: 'x=y' }, expect: '6: a +?' },
    { query: { fieldSelector: 'metadata.name=c', limit: '1' }, expect: '6: c' },
    {
      query: { fieldSelector: 'metadata.name=b', resourceVersion: '3', resourceVersionMatch: 'Exact' },
      expect: '3: b',
    },
    { query: { fieldSelector: 'type=Opaque' }, expect: '6: a c' },
    { query: { fieldSelector: 'type!=Opaque' }, expect: '6: ' },
    { query: { fieldSelector: 'metadata.namespace=other' }, expect: '6: ' },
    { query: { fieldSelector: 'spec.foo=1' }, expect: '400 BadRequest field label not supported: spec.foo' },
    {
      query: { labelSelector: 'a b' },
      expect: "400 BadRequest unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    },
    { query: { limit: 'abc' }, expect: '400 BadRequest strconv.ParseInt: parsing "abc": invalid syntax' },
    {
      query: { resourceVersion: 'abc' },
      expect:
        '400 BadRequest invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    },
    {
      query: { resourceVersionMatch: 'Exact' },
      expect: `422 Invalid ${OPTIONS}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`,
    },
    {
      query: { resourceVersionMatch: 'Exact', resourceVersion: '0' },
      expect: `422 Invalid ${OPTIONS}resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
    },
    {
      query: { resourceVersionMatch: 'Foo', resourceVersion: '1' },
      expect: `422 Invalid ${OPTIONS}resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""`,
    },
    {
      query: { sendInitialEvents: 'false' },
      expect: `422 Invalid ${OPTIONS}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`,
    },
    {
      query: { continue: encodeContinue({ revision: 3, after: 'a' }), resourceVersion: '3' },
      expect: '400 BadRequest specifying resource version is not allowed when using continue',
    },
    { query: { continue: encodeContinue({ revision: 3, after: 'a' }) }, expect: '3: b c' },
    { query: { continue: encodeContinue({ revision: -1, after: 'a' }), limit: '5' }, expect: '6: c' },
    {
      query: { continue: 'abc' },
      expect:
        "400 BadRequest invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    },
    { query: { continue: 'x' }, expect: `${FORGED}illegal base64 data at input byte 0` },
    { query: { continue: forged('null') }, expect: `${FORGED}server does not recognize this encoded version ` },
    {
      query: { continue: forged('[]') },
      expect: `${FORGED}json: cannot unmarshal array into Go value of type storage.continueToken`,
    },
    {
      query: { continue: forged('{"v":"meta.k8s.io/v1","rv":"1","start":"a"}') },
      expect: `${FORGED}json: cannot unmarshal string into Go struct field continueToken.rv of type int64`,
    },
    { query: { continue: forged('{"v":"meta.k8s.io/v1","rv":3,"start":"../a"}') }, expect: `${FORGED}../a` },
    {
      query: { continue: encodeContinue({ revision: -1, after: 'a' }), limit: '1', resourceVersion: '0' },
      expect: '6: c',
    },
  ];
  for (const { query, expect } of cases) {
    const show = (r: ListResult): string => {
      const more = r.continue === undefined ? '' : ` +${r.remainingItemCount ?? '?'}`;
      return `${r.resourceVersion}: ${names(r)}${more}`;
    };
    t.equal(await outcome(secrets.list(f.context(), 'ns', query), show), expect, JSON.stringify(query));
  }
});

t.test('names and namespaces that no key is made of', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const secrets = f.registry('secrets');
  const cases = [
    [{ namespace: '', name: 'a' }, 'Namespace parameter required.'],
    [{ namespace: 'ns', name: '..' }, `Name parameter invalid: "..": may not be '..'`],
    [{ namespace: 'ns', name: 'a%b' }, `Name parameter invalid: "a%b": may not contain '%'`],
  ] as const;
  for (const [key, expect] of cases) {
    await t.rejects(secrets.get(f.context(), key, {}), { code: 400, message: expect });
    await t.rejects(secrets.delete(f.context(), key, { dryRun: false }), { code: 400, message: expect });
  }
});

t.test('a list or get from the future waits, then answers 504', async t => {
  const f = await fixture();
  t.teardown(f.close);
  await seed(f, ['a']);
  const secrets = f.registry('secrets');
  const key = { namespace: 'ns', name: 'a' };
  for (const ask of [
    () => secrets.list(f.context(), 'ns', { resourceVersion: '9' }).then(() => 'ok'),
    () => secrets.list(f.context(), 'ns', { resourceVersion: '9', resourceVersionMatch: 'Exact' }).then(() => 'ok'),
    () => secrets.get(f.context(), key, { resourceVersion: '9' }).then(() => 'ok'),
  ]) {
    const pending = outcome(ask(), String);
    await eventually('the read waits', () => f.clock.waiting > 1);
    f.clock.step(3000);
    t.equal(await pending, '504 Timeout Timeout: Too large resource version: 9, current: 1');
  }
  const reached = secrets.get(f.context(), key, { resourceVersion: '2' });
  await eventually('the read waits', () => f.clock.waiting > 1);
  await seed(f, ['b']);
  t.equal((await reached).revision, 1, 'answers as soon as the revision is there');
  t.equal(
    await outcome(secrets.get(f.context(), key, { resourceVersion: 'abc' }), () => ''),
    '500 - resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  );
});

t.test('pages show one state while others write, in order of storage key', async t => {
  const f = await fixture();
  t.teardown(f.close);
  // "a-b/..." sorts before "a/...".
  await seed(f, ['x', 'y'], 'a');
  await seed(f, ['z'], 'a-b');
  const secrets = f.registry('secrets');
  let page = await secrets.list(f.context(), '', { limit: '1' });
  const seen: string[] = [];
  for (;;) {
    seen.push(...page.items.map(i => `${i.key.namespace}/${i.key.name}`));
    t.equal(page.resourceVersion, '3');
    if (page.continue === undefined) break;
    await seed(f, [`new-${seen.length}`], 'a');
    await secrets.delete(f.context(), { namespace: 'a', name: `new-${seen.length}` }, { dryRun: false });
    page = await secrets.list(f.context(), '', { limit: '1', continue: page.continue });
  }
  t.same(seen, ['a-b/z', 'a/x', 'a/y']);
});

t.test('410 after compaction, with a token to go on from now', async t => {
  const f = await fixture();
  t.teardown(f.close);
  await seed(f, ['a', 'b', 'c']);
  const secrets = f.registry('secrets');
  const first = await secrets.list(f.context(), 'ns', { limit: '1' });
  await seed(f, ['d']);
  await f.registries.compact(3);
  const error = await secrets
    .list(f.context(), 'ns', { limit: '1', ...(first.continue === undefined ? {} : { continue: first.continue }) })
    .catch((e: unknown) => e as StatusError);
  t.match(error, { code: 410, reason: 'Expired', message: /^The provided continue parameter is too old to display/ });
  const token = (error as StatusError).status.metadata.continue ?? '';
  t.same(decodeContinue(token), { revision: -1, after: 'a' });
  t.equal(names(await secrets.list(f.context(), 'ns', { continue: token })), 'b c d');
  t.equal(
    await outcome(secrets.list(f.context(), 'ns', { resourceVersion: '2', resourceVersionMatch: 'Exact' }), names),
    '410 Expired The resourceVersion for the provided list is too old.',
  );
  const watch = await record(secrets, f.context(), 'ns', { resourceVersion: '2' });
  t.same(await watch.until(1), ['ERROR 410 too old resource version: 2 (3)']);
  t.ok(watch.ended);
  t.same(await (await record(secrets, f.context(), 'ns', { resourceVersion: '3' })).until(1), ['ADDED d@4']);
});

t.test('watches', async t => {
  const cases: { name: string; query: ListQuery; before: string[]; after: string[] }[] = [
    { name: 'unset', query: {}, before: ['ADDED a@1', 'ADDED b@2'], after: ['ADDED c@3', 'DELETED a@4'] },
    {
      name: '0',
      query: { resourceVersion: '0' },
      before: ['ADDED a@1', 'ADDED b@2'],
      after: ['ADDED c@3', 'DELETED a@4'],
    },
    { name: 'a revision', query: { resourceVersion: '1' }, before: ['ADDED b@2'], after: ['ADDED c@3', 'DELETED a@4'] },
    { name: 'a future revision', query: { resourceVersion: '3' }, before: [], after: ['DELETED a@4'] },
    {
      name: 'initial events',
      query: { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' },
      before: ['ADDED a@1', 'ADDED b@2', 'BOOKMARK @2 end'],
      after: ['ADDED c@3', 'DELETED a@4'],
    },
    {
      name: 'initial events by default when bookmarks are allowed',
      query: { allowWatchBookmarks: 'true', fieldSelector: 'metadata.name=a' },
      before: ['ADDED a@1', 'BOOKMARK @2 end'],
      after: ['DELETED a@4'],
    },
    {
      name: 'no initial events',
      query: { sendInitialEvents: 'false', resourceVersionMatch: 'NotOlderThan', resourceVersion: '0' },
      before: [],
      after: ['ADDED c@3', 'DELETED a@4'],
    },
    { name: 'a label', query: { labelSelector: 'x' }, before: [], after: ['ADDED c@3'] },
  ];
  for (const { name, query, before, after } of cases) {
    const f = await fixture();
    await seed(f, ['a', 'b']);
    const secrets = f.registry('secrets');
    const w = await record(secrets, f.context(), 'ns', query);
    t.equal(w.events.length, 0, `${name}: nothing before the promise resolves`);
    t.same(await w.until(before.length), before, `${name}: first`);
    await secrets.create(f.context(), 'ns', secret('c', { x: 'y' }));
    await seed(f, [], 'ns');
    await secrets.delete(f.context(), { namespace: 'ns', name: 'a' }, { dryRun: false });
    await f.registry('secrets').create(f.context(), 'other', secret('elsewhere'));
    t.same((await w.until(before.length + after.length)).slice(before.length), after, `${name}: then`);
    w.watch.stop();
    await seed(f, ['late']);
    t.equal(w.events.length, before.length + after.length, `${name}: nothing after stop`);
    f.close();
    t.notOk(w.ended, `${name}: stop is not an end`);
  }
});

t.test('watch options that are refused', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const secrets = f.registry('secrets');
  const cases: { query: ListQuery; expect: string }[] = [
    {
      query: { sendInitialEvents: 'true' },
      expect: `422 Invalid ${OPTIONS}resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
    },
    {
      query: { resourceVersion: '1', resourceVersionMatch: 'NotOlderThan' },
      expect: `422 Invalid ${OPTIONS}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
    },
    {
      query: { resourceVersion: 'abc' },
      expect: '500 - resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    },
    { query: { timeoutSeconds: 'x' }, expect: '400 BadRequest strconv.ParseInt: parsing "x": invalid syntax' },
  ];
  for (const { query, expect } of cases) {
    t.equal(await outcome(record(secrets, f.context(), 'ns', query), () => 'opened'), expect, JSON.stringify(query));
  }
});

t.test('an object that crosses a selection is ADDED, or DELETED as it was', async t => {
  const f = await fixture();
  t.teardown(f.close);
  await seed(f, ['a']);
  const secrets = f.registry('secrets');
  const put = (labels: Record<string, string>) =>
    secrets.update(f.context(), { namespace: 'ns', name: 'a' }, secret('a', labels), '');
  const w = await record(secrets, f.context(), 'ns', { labelSelector: 'x=1' });
  const twin = await record(secrets, f.context(), 'ns', { labelSelector: 'x=1,!z' });
  await eventually('both are live', () => w.events.length === 0);
  await put({ x: '1' });
  await put({ x: '1', y: '2' });
  await put({ x: '2' });
  await put({ x: '3' });
  t.same(await w.until(3), ['ADDED a@2', 'MODIFIED a@3', 'DELETED a@4']);
  const last = w.events[2];
  t.match(last?.type === 'DELETED' ? last.object.object.metadata : {}, {
    labels: { x: '1', y: '2' },
    resourceVersion: '4',
  });
  await twin.until(3);
  t.equal(twin.events[2], w.events[2], 'watchers share one event, and its encoding');
});

t.test('bookmarks come every minute and before the end; the end is clean', async t => {
  const f = await fixture();
  t.teardown(f.close);
  await seed(f, ['a']);
  const secrets = f.registry('secrets');
  const query = { resourceVersion: '1', allowWatchBookmarks: 'true', timeoutSeconds: '90' };
  const w = await record(secrets, f.context(), 'ns', query);
  await seed(f, ['b']);
  await w.until(1);
  await f.registry('configmaps').create(f.context(), 'ns', { metadata: { name: 'other' } });
  f.clock.step(60_000);
  t.same(w.events.map(summary), ['ADDED b@2', 'BOOKMARK @3']);
  f.clock.step(28_000);
  t.equal(w.events.length, 3, 'two seconds before the end');
  t.notOk(w.ended);
  f.clock.step(2000);
  t.ok(w.ended);
});

t.test('a client that takes the initial events too slowly for what changes meanwhile is cut off', async t => {
  const f = await fixture();
  t.teardown(f.close);
  await seed(
    f,
    Array.from({ length: 300 }, (_, i) => `s${String(i)}`),
  );
  const secrets = f.registry('secrets');
  const w = await record(secrets, f.context(), 'ns', {});
  w.backlog = 2e6;
  await w.until(1);
  const text = 'x'.repeat(900 << 10);
  for (let i = 0; i < 20; i++)
    await secrets.create(f.context(), 'ns', { metadata: { name: `big-${i}` }, stringData: { text } });
  t.ok(w.ended);
  t.ok(w.events.length < 300, 'and no event was skipped: the rest was never sent');
});

t.test('a listener that throws is cut off and hurts nobody', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const secrets = f.registry('secrets');
  const w = await record(secrets, f.context(), 'ns', {});
  const other = await record(secrets, f.context(), 'ns', {});
  await seed(f, ['a']);
  await w.until(1);
  w.breakDown();
  await seed(f, ['b']);
  t.ok(w.ended);
  t.same(f.failures, ['delivery of watch events']);
  t.same(await other.until(2), ['ADDED a@1', 'ADDED b@2']);
});

t.test('initial events wait for the client, and changes wait behind them', async t => {
  const f = await fixture();
  t.teardown(f.close);
  await seed(
    f,
    Array.from({ length: 450 }, (_, i) => `s${String(i).padStart(3, '0')}`),
  );
  const secrets = f.registry('secrets');
  const w = await record(secrets, f.context(), 'ns', { allowWatchBookmarks: 'true' });
  w.backlog = 2e6;
  await seed(f, ['t']);
  await w.until(200);
  await eventually('the watch waits for its client', () => f.clock.waiting > 2);
  t.equal(w.events.length, 200);
  w.backlog = 0;
  f.clock.step(20);
  const all = await w.until(452);
  t.equal(all[450], 'BOOKMARK @450 end');
  t.equal(all[451], 'ADDED t@451');
});

t.test('a read that waits for nothing asks for no signal, since V8 keeps signals through many collections', async t => {
  const f = await fixture();
  t.teardown(() => f.close());
  await seed(f, ['a', 'b']);
  const ctx = {
    ...f.context(),
    get signal(): AbortSignal {
      throw new Error('a signal is made');
    },
  };
  const secrets = f.registry('secrets');
  t.equal((await secrets.get(ctx, { namespace: 'ns', name: 'a' }, {})).key.name, 'a');
  for (const query of [{}, { limit: '1' }, { fieldSelector: 'metadata.name=b' }])
    t.ok((await secrets.list(ctx, 'ns', query)).items.length > 0, JSON.stringify(query));
});
