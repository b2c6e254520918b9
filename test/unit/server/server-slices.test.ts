import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { parseLabelSelector } from '../../../src/machinery/labels.js';
import { createTurns } from '../../../src/machinery/turns.js';
import { createAuditor } from '../../../src/server/audit/auditor.js';
import { createLogFile } from '../../../src/server/audit/log-file.js';
import { toYaml, yamlParts, yamlWithList } from '../../../src/server/responses/yaml.js';
import { startFakeApi } from '../../support/fake-api.js';
import { until } from '../../support/until.js';

t.test('long pieces of work share the loop: one of them per turn, and others in between', async t => {
  const clock = new FakeClock();
  const turns = createTurns(clock, 10);
  t.notOk(turns.isOver(), 'a turn begins with the first question');
  clock.step(9);
  t.notOk(turns.isOver());
  clock.step(1);
  t.ok(turns.isOver(), 'for everybody');
  const order: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (let i = 0; i < 2; i++) {
      await turns.next();
      order.push(name);
    }
  };
  let other = 0;
  let done = false;
  const between = (): void => {
    other++;
    if (!done) setImmediate(between);
  };
  setImmediate(between);
  await Promise.all([work('a'), work('b'), work('c')]);
  done = true;
  t.same(order, ['a', 'b', 'c', 'a', 'b', 'c'], 'in order');
  t.ok(other >= 5, 'the loop went on between them');
  t.notOk(turns.isOver(), 'a new turn has its own time');
});

const PLURAL = '/api/v1/namespaces/d/configmaps';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const PARTIAL = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

t.test('a list is the same whether it is written whole or as its items come', async t => {
  const api = await startFakeApi();
  t.teardown(() => api.close());
  const fake = api.registry('configmaps');
  for (const count of [0, 1, 3]) {
    while (fake.objects.size < count)
      fake.put('d', {
        metadata: { name: `c${fake.objects.size}`, labels: { a: 'b' } },
        data: { k: 'two\nlines', n: '1' },
      });
    for (const [name, accept] of [
      ['list', 'application/json'],
      ['table', TABLE],
      ['metadata', PARTIAL],
    ] as const) {
      const plain = await api.request('GET', PLURAL, { headers: { accept } });
      const pretty = await api.request('GET', `${PLURAL}?pretty=1`, { headers: { accept } });
      t.equal(pretty.text, `${JSON.stringify(plain.body, undefined, 2)}\n`, `${count} in a ${name}, indented`);
      const yaml = await api.request('GET', PLURAL, { headers: { accept: accept.replace('json', 'yaml') } });
      t.equal(yaml.text, toYaml(plain.body), `${count} in a ${name}, as YAML`);
    }
    const { protobuf } = api.context;
    const { body } = await api.request('GET', PLURAL);
    const answer = await api.request('GET', PLURAL, { headers: { accept: 'application/vnd.kubernetes.protobuf' } });
    t.equal(answer.status, 200);
    const whole = protobuf.object(body as Parameters<typeof protobuf.object>[0]);
    t.equal(answer.text, whole?.toString(), `${count} in a list, as protobuf`);
  }
  t.same([...yamlWithList({ kind: 'L', items: [] }, 'items', [])], ['items: []\n', 'kind: L\n']);
});

t.test('a big object is answered in chunks, as YAML and indented, and is the same', async t => {
  const api = await startFakeApi();
  t.teardown(() => api.close());
  const data = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i % 2 === 0 ? `n${i}` : 'a: b\nc']),
  );
  api.registry('configmaps').put('d', { metadata: { name: 'big', finalizers: ['a/b', 'a/c'] }, data });
  const path = `${PLURAL}/big`;
  const plain = await api.request('GET', path);
  const yaml = await api.request('GET', path, { headers: { accept: 'application/yaml' } });
  t.equal(yaml.text === toYaml(plain.body), true);
  const pretty = await api.request('GET', `${path}?pretty=1`);
  t.equal(pretty.text === `${JSON.stringify(plain.body, undefined, 2)}\n`, true);
  const parts = [...yamlParts(plain.body)];
  t.ok(parts.length > 5_000, `${parts.length} parts`);
  t.ok(
    parts.every(part => part.length < 100),
    'of a line or so each',
  );
});

t.test('a long list is recorded as it was answered, on one line', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-audit-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'audit.log');
  const sink = await createLogFile(path, { maxBytes: 0, maxBackups: 0, maxAgeMs: 0 }, realClock, error =>
    t.error(error),
  );
  for (const omitManagedFields of [false, true]) {
    const policy = {
      rules: [{ level: 'RequestResponse' as const, omitManagedFields }],
      omitStages: ['RequestReceived' as const],
    };
    const api = await startFakeApi({ audit: createAuditor(policy, sink, realClock) });
    const fake = api.registry('configmaps');
    for (let i = 0; i < 20; i++) fake.put('d', { metadata: { name: `c${i}`, managedFields: [{ manager: 'm' }] } });
    const { body } = await api.request('GET', `${PLURAL}?pretty=1`);
    await api.close();
    // What is recorded of an answer comes after it.
    let lines: string[] = [];
    await until('it is recorded', async () => {
      await sink.flush();
      lines = readFileSync(path, 'utf8').trimEnd().split('\n');
      return lines.length >= (omitManagedFields ? 2 : 1) && lines[0] !== '';
    });
    const event = JSON.parse(lines.at(-1) ?? '') as { responseObject: { items: { metadata: object }[] } };
    t.equal(lines.length, omitManagedFields ? 2 : 1);
    t.match(event, { verb: 'list', responseStatus: { code: 200 }, stage: 'ResponseComplete', stageTimestamp: String });
    if (!omitManagedFields) t.same(event.responseObject, body);
    else
      t.ok(
        event.responseObject.items.every(item => !('managedFields' in item.metadata)),
        'without managed fields',
      );
    t.equal(event.responseObject.items.length, 20);
  }
});

t.test('a selector of thousands of values asks a set', async t => {
  const values = Array.from({ length: 9000 }, (_, i) => `v${i}`);
  const selector = parseLabelSelector(`a in (${values.join(',')})`);
  t.ok(selector.matches({ a: 'v8999' }));
  t.notOk(selector.matches({ a: 'w' }));
  t.notOk(selector.matches({}));
  const none = parseLabelSelector(`a notin (${values.join(',')})`);
  t.notOk(none.matches({ a: 'v8999' }));
  t.ok(none.matches({}));
});
