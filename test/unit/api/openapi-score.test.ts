import t from 'tap';
import type { StructType } from '../../../src/machinery/schema.js';
import { modelOf, readModelDocs } from '../../../src/api/build/descriptions.js';
import { loadApi } from '../../../src/api/load.js';
import { checkScore } from '../../support/score.js';

/** Every type that a kind is made of. */
function allStructs(): StructType[] {
  const found = new Map<string, StructType>();
  const visit = (struct: StructType): void => {
    if (found.has(struct.name)) return;
    found.set(struct.name, struct);
    for (const field of struct.fields) {
      let { type } = field;
      while (type.kind === 'list' || type.kind === 'map') type = type.kind === 'list' ? type.items : type.values;
      if (type.kind === 'struct') visit(type.struct);
    }
  };
  for (const { type } of loadApi().kinds) visit(type);
  return [...found.values()];
}

t.test('types and fields against those of the models that are generated from upstream’s OpenAPI document', async t => {
  const docs = readModelDocs();
  const structs = allStructs();
  const differing = structs.flatMap(struct => {
    const model = modelOf(struct, docs);
    if (model === undefined) return [];
    const ours = new Set(struct.fields.map(field => field.name));
    // Hyphens are none of the generator's.
    const theirs = new Set([...model.names].map(name => (name.startsWith('x_') ? name.replaceAll('_', '-') : name)));
    const more = [...ours].filter(name => !theirs.has(name)).map(name => `${struct.name}.${name}: not in the models`);
    const less = [...model.fields.keys()]
      .filter(name => !ours.has(name))
      .map(name => `${struct.name}.${name}: not here`);
    return [...more, ...less];
  });
  const withoutModel = structs.filter(struct => modelOf(struct, docs) === undefined).map(({ name }) => name);
  t.ok(structs.length > 500, `${structs.length} types`);
  checkScore(t, 'openapi', { types: structs.length, differing: differing.sort(), withoutModel: withoutModel.sort() });
});
