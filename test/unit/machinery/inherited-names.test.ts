import t from 'tap';
import { createFieldManager } from '../../../src/machinery/managed-fields/field-manager.js';
import { parentEntries, scaleEntries } from '../../../src/machinery/managed-fields/scale.js';
import { itemElement } from '../../../src/machinery/managed-fields/shape.js';
import type { Field, StructType } from '../../../src/machinery/schema.js';
import { atOnce } from '../../../src/machinery/steps.js';
import type { KubeObject, ManagedFieldsEntry } from '../../../src/machinery/types.js';
import { loadApi } from '../../../src/api/load.js';

/** Names that a client may give, and that every object has without having been given them. */
const NAMES = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];

const configMap = (data: object, managedFields?: ManagedFieldsEntry[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', namespace: 'n', uid: 'u', ...(managedFields && { managedFields }) },
  data,
});

const type = loadApi().type('core.v1.ConfigMap');
if (type === undefined) throw new Error('there are no ConfigMaps');
const manager = createFieldManager(type, { group: '', version: 'v1', kind: 'ConfigMap', resetFields: {} });
const by = (name: string) => ({ manager: name, subresource: '', nowMs: 0 });
const owned = ({ metadata }: KubeObject): unknown[] =>
  (metadata.managedFields ?? []).map(entry => [entry.manager, entry.fieldsV1]);

for (const name of NAMES) {
  const given = (): object => JSON.parse(`{"a":"1","${name}":"2"}`) as object;

  t.test(`who sets ${name} owns it, until somebody removes it`, t => {
    const first = configMap({ a: '1' });
    atOnce(manager.update(undefined, first, by('one')));
    const set = configMap(given(), first.metadata.managedFields);
    atOnce(manager.update(first, set, by('two')));
    const one = ['one', { 'f:data': { '.': {}, 'f:a': {} } }];
    t.same(owned(set), [one, ['two', { 'f:data': { [`f:${name}`]: {} } }]]);
    const removed = configMap({ a: '1' }, set.metadata.managedFields);
    atOnce(manager.update(set, removed, by('three')));
    t.same(owned(removed), [one]);
    t.end();
  });

  t.test(`an item without its key ${name} is known by its other keys`, t => {
    const string = { type: { kind: 'string' }, pointer: false, omit: 'empty', required: false } as const;
    const fields: Field[] = [
      { ...string, name: 'k' },
      { ...string, name },
    ];
    const struct: StructType = { name: 's', goName: 's', fields, byName: new Map(fields.map(f => [f.name, f])) };
    const items = { kind: 'struct', struct } as const;
    const list: Field = { ...string, name: 'l', type: { kind: 'list', items }, listMapKeys: ['k', name] };
    t.equal(itemElement({ k: 'a' }, 'keyed', list, items), 'k:{"k":"a"}');
    t.end();
  });

  t.test(`a version ${name} in managedFields has no scale`, t => {
    const mapping = { apiVersion: 'apps/v1', replicasPaths: { 'apps/v1': 'spec.replicas' } };
    const fieldsV1 = { 'f:spec': { 'f:replicas': {} } };
    const entry = { manager: 'm', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1 } as const;
    const known = { ...entry, apiVersion: 'apps/v1' };
    const parent = [known, { ...entry, apiVersion: name }];
    const scale = scaleEntries(parent, mapping);
    t.same(scale, [{ ...entry, apiVersion: 'autoscaling/v1' }]);
    t.same(parentEntries(parent, scale, mapping), [known]);
    t.end();
  });
}
