import t from 'tap';
import { sortSet, type FieldSet } from '../../../src/machinery/managed-fields/field-set.js';
import { newPace } from '../../../src/machinery/pace.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { sequence, sequenceOf } from '../../../src/machinery/x509/der.js';
import { keyUsages } from '../../../src/machinery/x509/key-usages.js';
import { overlappingPaths } from '../../../src/kinds/core/pod/path-overlaps.js';
import { createPortAllocator, startPortOperation } from '../../../src/kinds/core/port-allocator.js';
import { validateObjectMeta } from '../../../src/machinery/validation/object-meta.js';
import { errorsOf, MAX_FIELD_ERRORS, path } from '../../../src/machinery/field-error.js';
import { compactRules } from '../../../src/server/auth/rbac/rules.js';

/** More than the stack holds as arguments of one call: what a client sends in 3 MB may be as long. */
const MANY = 200_000;
const many = <T>(make: (i: number) => T): T[] => Array.from({ length: MANY }, (_, i) => make(i));

t.test('a list is as long as its client likes: none is spread into arguments', async t => {
  const rules = { namespaced: true, name: () => [], builtIn: true };
  const owned = { name: 'n', namespace: 'ns', ownerReferences: many(() => ({}) as never) };
  const errors = errorsOf(() => validateObjectMeta(owned, rules, path('metadata')));
  t.equal(errors.length, MAX_FIELD_ERRORS, 'owner references');

  const rule = (verbs: string[]) => ({ apiGroups: [''], resources: ['pods'], verbs });
  const [compacted] = compactRules([rule(['get']), rule(many(i => `v${i}`))]);
  t.equal(compacted?.verbs.length, MANY + 1, 'verbs of a rule');

  const set: FieldSet = Object.fromEntries([...many(i => [`f:${i}`, {}] as const), ['v:1', {}]]);
  t.equal(Object.keys(atOnce(sortSet(set, newPace()))).at(-1), 'v:1', 'fields of a set');

  t.equal(overlappingPaths(['a', ...many(i => `a/${i}`)])[0]?.join(), '1,0', 'paths in one folder');
  t.equal(sequenceOf(many(() => sequence())).length, 2 * MANY + 5, 'names of a certificate');
  t.ok(keyUsages(many(() => 'key agreement')).bits, 'usages of a certificate');
});

t.test('ports made up in a dry run follow the highest that was taken', t => {
  const operation = startPortOperation(
    createPortAllocator({ first: 30000, last: 32767 }, () => 0),
    () => false,
    true,
  );
  const first = operation.allocateNext();
  t.equal(operation.allocateNext(), first + 1);
  operation.allocate(31000);
  const next = operation.allocateNext();
  t.equal(next, Math.max(31000, first + 1) + 1);
  operation.allocate(30000);
  t.equal(operation.allocateNext(), next + 1);
  for (let i = 0; i < MANY; i++) operation.allocateNext();
  t.equal(operation.allocateNext(), next + MANY + 2);
  t.end();
});
