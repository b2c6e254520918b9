import t from 'tap';
import { inTurns } from '../../../src/machinery/steps.js';
import { createCodec } from '../../../src/api/codec/create-codec.js';
import { loadApi } from '../../../src/api/load.js';
import { decodePatch } from '../../../src/server/handlers/decode-patch.js';
import type { PatchType } from '../../../src/server/registry/types.js';
import { fixture } from '../../support/registries.js';

const BODY = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'ns' }, data: { a: '1' } };

t.test('a write gives up the loop between its steps, whatever way it comes', async t => {
  let rests = 0;
  const turns = { isOver: () => true, next: () => Promise.resolve(void rests++) };
  const f = await fixture({ turns });
  t.teardown(() => f.close());
  const entry = f.catalog.entries().find(({ info }) => info.plural === 'configmaps');
  if (entry === undefined) throw new Error('no configmaps');
  const registry = f.registries.get(entry);
  const codec = createCodec(loadApi());
  const key = { namespace: 'ns', name: 'c' };
  const counted = async (work: () => Promise<unknown>): Promise<number> => {
    rests = 0;
    await work();
    return rests;
  };
  const decoded = async (type: 'application/json' | 'application/yaml', body: object) =>
    (await inTurns(codec.decodeSteps(Buffer.from(JSON.stringify(body)), type, entry), turns)).object;
  const patched = (type: PatchType, body: object) => {
    const raw = Buffer.from(JSON.stringify(body));
    const request = { type, raw, force: true, decode: () => decodePatch(raw, type, true) };
    return registry.patch(f.context(), key, request, '');
  };

  t.ok((await counted(() => decoded('application/yaml', BODY))) >= 3, 'reading YAML');
  const body = await decoded('application/json', BODY);
  t.ok((await counted(() => registry.create(f.context(), 'ns', body))) >= 5, 'create');
  const other = await decoded('application/json', { ...BODY, data: { a: '2' } });
  t.ok((await counted(() => registry.update(f.context(), key, other, ''))) >= 8, 'update');
  for (const type of ['merge', 'strategic'] as const)
    t.ok((await counted(() => patched(type, { data: { a: type } }))) >= 12, `${type} patch`);
  t.ok((await counted(() => patched('apply', { ...BODY, data: { b: '1' } }))) >= 20, 'apply');
  t.same((await registry.get(f.context(), key, {})).object['data'], { a: 'strategic', b: '1' });
});
