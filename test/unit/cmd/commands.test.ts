import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { generated } from '../../commands/generated.js';
import { ROOT } from '../../support/root.js';

t.test('what is made from the commands is as they are', async t => {
  for (const [file, text] of Object.entries(await generated()))
    t.equal(readFileSync(join(ROOT, file), 'utf8'), text, 'run: make commands');
});

t.test('the schema is one that others can read', async t => {
  const schema = JSON.parse((await generated())['api-schemas/up-config.v1.json'] ?? '') as object;
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false }).compile(schema);
  t.ok(validate({ nodes: [{ zone: 'a', capacity: { cpu: 8 } }], flags: { 'secure-port': 0 }, objects: ['a.yaml'] }));
  t.notOk(validate({ nodes: [{ zone: 1 }] }));
});
