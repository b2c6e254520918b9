import t, { type Test } from 'tap';
import { createInformerFactory } from '../../../src/client/informer.js';
import { CONFIG_MAPS } from '../../../src/client/resources.js';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import { openMemoryStore } from '../../../src/cluster/store.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { seededRandom } from '../../../src/machinery/random.js';
import { isStatusError } from '../../../src/machinery/status.js';
import type { ConfigMap } from '../../../src/machinery/types.js';
import type { Exchange } from '../../../src/server/pipeline/exchange.js';
import { createFaultPlan } from '../../../src/testing/faults.js';
import { Cluster } from '../../../src/testing/index.js';
import { createSlowStore } from '../../../src/testing/slow-store.js';
import { until } from '../../support/until.js';

t.jobs = 1;
let cluster: Cluster;
let client: RestClient;
t.before(async () => {
  cluster = await Cluster.create({ apiServerOnly: true, seed: 1 });
  client = clientOf('operator');
});
t.teardown(async () => {
  client.close();
  await cluster.stop();
});
t.afterEach(() => cluster.faults.clear());

const clientOf = (user: string): RestClient =>
  createClient(
    { ...cluster.as(user, ['system:masters']).config, insecureSkipTlsVerify: false, namespace: 'default' },
    user,
  );
const maps = () => client.resource<ConfigMap>(CONFIG_MAPS);
const map = (name: string, value = ''): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { value },
});
const at = (name: string) => ({ namespace: 'default', name });
/** "429 TooManyRequests", or "ok". */
const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => (isStatusError(error) ? `${error.code} ${error.reason ?? ''}` : (error as Error).name),
  );

t.test('the next requests are answered as asked, others are not', async t => {
  await maps().create('default', map('one'));
  const patch = () => outcome(maps().patch(at('one'), { data: { value: '1' } }, { type: 'merge' }));
  const fault = cluster.faults.next({
    user: 'operator',
    verb: 'patch',
    resource: 'configmaps',
    status: 429,
    times: 2,
  });
  t.equal(await outcome(maps().get(at('one'))), 'ok', 'another verb');
  const other = clientOf('other');
  t.teardown(() => other.close());
  t.equal(
    await outcome(other.resource(CONFIG_MAPS).patch(at('one'), { data: {} }, { type: 'merge' })),
    'ok',
    'another user',
  );
  t.same([await patch(), await patch(), await patch()], ['429 TooManyRequests', '429 TooManyRequests', 'ok']);
  t.equal(fault.hits, 2);
  const asked = (): readonly number[] =>
    cluster
      .requests({ user: 'operator', verb: 'patch', resource: 'configmaps', name: 'one' })
      .map(({ status }) => status);
  // A request is put on record when its answer is on its way.
  await until('the last answer is on record', () => asked().length >= 3);
  t.same(asked(), [429, 429, 200], 'the record shows what was answered');
});

const STATUSES = [
  { status: 401, expect: '401 Unauthorized' },
  { status: 403, expect: '403 Forbidden' },
  { status: 404, expect: '404 NotFound' },
  { status: 410, expect: '410 Expired' },
  { status: 500, expect: '500 InternalError' },
  { status: 503, expect: '503 ServiceUnavailable' },
  { status: 504, expect: '504 Timeout' },
  { status: 418, expect: '418 ' },
  { status: 'reset', expect: 'ConnectionError' },
] as const;

t.test('each status has the reason that kube-apiserver gives it', async t => {
  for (const { status, expect } of STATUSES) {
    cluster.faults.next({ user: 'operator', status });
    t.equal(await outcome(maps().list()), expect);
    t.equal(await outcome(maps().list()), 'ok', `${status}: once`);
  }
  t.throws(() => cluster.faults.next({ status: 200 }), RangeError);
});

t.test('somebody else was faster', async t => {
  cluster.faults.conflict({ user: 'operator', times: 2 });
  t.equal(await outcome(maps().list()), 'ok', 'reads have no conflicts');
  t.equal(await outcome(maps().create('default', map('two'))), '409 AlreadyExists');
  t.equal(await outcome(maps().patch(at('two'), {}, { type: 'merge' })), '409 Conflict');
  t.equal(await outcome(maps().create('default', map('two'))), 'ok');
});

/** A plan over a store of its own, its clock stepped by the test. */
async function planned(t: Test) {
  const clock = new FakeClock();
  const store = createSlowStore(await openMemoryStore(clock), clock);
  t.teardown(() => store.close());
  const { faults, interpose } = createFaultPlan({ clock, random: seededRandom(3), store: () => store });
  const exchange = {
    info: { verb: 'get', group: '', resource: 'pods', subresource: '', namespace: 'default', name: 'a' },
    user: { name: 'jane', groups: [] },
    request: { raw: { headers: {} }, signal: new AbortController().signal },
  } as unknown as Exchange;
  const ask = (): Promise<string> => outcome(Promise.resolve(interpose(exchange)));
  return { clock, store, faults, ask };
}

t.test('of requests a share is hit, the same for the same seed', async t => {
  const hits = async (): Promise<string[]> => {
    const { faults, ask } = await planned(t);
    const fault = faults.next({ resource: 'pods', status: 500, times: 100, probability: 0.5 });
    const answers: string[] = [];
    for (let i = 0; i < 24; i++) answers.push(await ask());
    t.equal(fault.hits, answers.filter(answer => answer !== 'ok').length);
    fault.end();
    t.equal(await ask(), 'ok');
    return answers;
  };
  const first = await hits();
  t.ok(first.includes('ok') && first.includes('500 InternalError'));
  t.same(await hits(), first);
});

t.test('requests wait, and the disk takes its time', async t => {
  const { clock, store, faults, ask } = await planned(t);
  let answered = 0;
  faults.latency({ user: 'jane', delay: ['2s', '3s'], times: 2 });
  const asked = [ask(), ask()].map(each => each.then(() => answered++));
  await clock.advance(1_999);
  t.equal(answered, 0);
  await clock.advance(1_001);
  t.equal(answered, 2);
  await Promise.all(asked);
  t.equal(await ask(), 'ok', 'the next do not');

  faults.slowDisk('5s');
  let written = false;
  const write = store
    .commit([], [{ type: 'put', key: '/a', value: Buffer.from('1') }])
    .then(() => void (written = true));
  await clock.advance(4_999);
  t.same([written, await store.get('/a')], [false, undefined]);
  await clock.advance(1);
  await write;
  t.match(await store.get('/a'), { key: '/a' });
  faults.clear();
  await store.commit([], [{ type: 'put', key: '/b', value: Buffer.from('1') }]);
  t.throws(() => faults.slowDisk('soon'), RangeError);
  t.throws(() => faults.latency({ delay: -1 }), RangeError);
});

/** Names of ConfigMaps as an informer knows them, and what went wrong with its watch. */
function follow(t: Test) {
  const errors: string[] = [];
  const informers = createInformerFactory({
    transport: client.transport,
    clock: realClock,
    onError: (_ref, error) => errors.push(error.name),
  });
  const stopping = new AbortController();
  t.teardown(() => stopping.abort());
  const informer = informers.informer<ConfigMap>(CONFIG_MAPS);
  informers.start(stopping.signal);
  const knows = (name: string, value: string): boolean =>
    [...informer.indexer.list()].some(({ metadata, data }) => metadata.name === name && data?.['value'] === value);
  const asked = (verb: string): number => cluster.requests({ user: 'operator', verb, resource: 'configmaps' }).length;
  return { informer, errors, knows, asked, synced: () => informer.whenSynced(stopping.signal) };
}

t.test('a watch that is cut goes on where it was; one that is gone lists anew', async t => {
  const { knows, asked, synced } = follow(t);
  await synced();
  const mine = { user: 'operator', resource: 'configmaps' };
  await until('it watches', () => cluster.faults.cut(mine) === 1);
  const [lists, watches] = [asked('list'), asked('watch')];
  await maps().create('default', map('cut'));
  await until('it knows what came after', () => knows('cut', ''));
  t.equal(asked('list'), lists, 'it has not listed');
  t.equal(asked('watch'), watches + 1);

  const fault = cluster.faults.gone(mine);
  await maps().create('default', map('gone'));
  await until('it knows what came after', () => knows('gone', ''));
  t.equal(fault.hits, 1);
  t.equal(asked('list'), lists + 1, 'it has listed');
});

t.test('reads are stale until they are not, and watches then tell what they missed', async t => {
  await maps().create('default', map('stale', 'old'));
  const { knows, synced } = follow(t);
  await synced();
  const fault = cluster.faults.stale({ user: 'operator', resource: 'configmaps' });
  await maps().patch(at('stale'), { data: { value: 'new' } }, { type: 'merge' });
  await maps().create('default', map('younger'));
  t.equal((await maps().get(at('stale'))).data?.['value'], 'old');
  t.equal(await outcome(maps().get(at('younger'))), '404 NotFound');
  const names = (await maps().list()).items.map(({ metadata }) => metadata.name);
  t.ok(names.includes('stale'));
  t.notOk(names.includes('younger'));
  const other = clientOf('other');
  t.teardown(() => other.close());
  t.equal((await other.resource<ConfigMap>(CONFIG_MAPS).get(at('stale'))).data?.['value'], 'new', 'others see it');
  const late = follow(t);
  await late.synced();
  t.ok(late.knows('stale', 'old'), 'whoever comes now sees the old state, too');
  t.ok(knows('stale', 'old'));
  t.equal(fault.hits >= 4, true);
  fault.end();
  await until('both have caught up', () => [knows, late.knows].every(of => of('stale', 'new') && of('younger', '')));
  t.equal((await maps().get(at('stale'))).data?.['value'], 'new');
});
