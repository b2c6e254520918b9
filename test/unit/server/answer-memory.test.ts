import t from 'tap';
import { Slabs } from '../../../src/server/responses/slabs.js';
import { CONFIGMAPS, configMap, withApi } from '../../support/server-requests.js';

const KB = 1024;

t.test('memory of an answer is used again once the answer is out, and not before', t => {
  const slabs = new Slabs();
  const [one, other] = [slabs.lend(), slabs.lend()];
  const first = one.take(64 * KB);
  t.equal(first.length, 64 * KB);
  t.not(other.take(64 * KB).buffer, first.buffer, 'two answers on their way share nothing');
  one.end();
  const next = slabs.lend();
  t.equal(next.take(10 * KB).buffer, first.buffer, 'another answer');
  one.end();
  t.not(slabs.lend().take(10 * KB).buffer, first.buffer, 'what has been given back once is not given back again');
  t.end();
});

t.test('what is huge, or one of many pieces has memory of its own', t => {
  const slabs = new Slabs();
  const pieces = (sizes: readonly number[]): number => {
    const loan = slabs.lend();
    const taken = sizes.map(size => loan.take(size).buffer);
    loan.end();
    const again = slabs.lend();
    const buffers = new Set(sizes.map(size => again.take(size).buffer));
    return taken.filter(buffer => buffers.has(buffer)).length;
  };
  t.equal(pieces([200 * KB, 100 * KB]), 0);
  t.equal(pieces([200 * KB]), 0);
  t.equal(pieces([64 * KB, 64 * KB, 64 * KB, 64 * KB, 64 * KB]), 3);
  t.end();
});

t.test('lists that are answered side by side, again and again, each have their own bytes', async t => {
  const api = await withApi(t);
  const fake = api.registry('configmaps');
  const namespaces = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const namespace of namespaces)
    for (let i = 0; i < 30; i++) fake.put(namespace, configMap(`${namespace}${i}`, { text: namespace.repeat(2 * KB) }));
  const paths = [
    ...namespaces.map(namespace => `/api/v1/namespaces/${namespace}/configmaps`),
    ...namespaces.map(namespace => `/api/v1/namespaces/${namespace}/configmaps?limit=7`),
    `/api/v1/namespaces/a/configmaps/a0`,
  ];
  const expected = await Promise.all(paths.map(async path => (await api.request('GET', path)).text));
  t.ok(Math.min(...expected.slice(0, 6).map(text => text.length)) > 60 * KB);
  for (let round = 0; round < 5; round++) {
    const texts = await Promise.all(paths.map(async path => (await api.request('GET', path)).text));
    t.same(texts, expected, `round ${round}`);
  }
});

t.test('a read that waits for nothing makes no AbortSignal, which V8 keeps through many collections', async t => {
  const api = await withApi(t);
  api.registry('configmaps').put('d', configMap('a'));
  let made = 0;
  const original = globalThis.AbortController;
  t.teardown(() => (globalThis.AbortController = original));
  globalThis.AbortController = class extends original {
    constructor() {
      super();
      made++;
    }
  };
  const { signal } = new AbortController();
  t.equal(made, 1, 'they are counted');
  t.notOk(signal.aborted);
  for (const path of [`${CONFIGMAPS}/a`, CONFIGMAPS, `${CONFIGMAPS}/none`]) await api.request('GET', path);
  t.equal(made, 1);
});
