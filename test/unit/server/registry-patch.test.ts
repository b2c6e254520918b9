import t from 'tap';
import type { PatchRequest } from '../../../src/server/registry/types.js';
import { given } from '../../support/steps.js';
import { fixture } from '../../support/registries.js';
import { configMap, failure, key, NS, patch } from '../../support/registry-writes.js';

t.test('concurrent patches all count', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  await maps.create(f.context(), NS, configMap('a'));
  const fields = Array.from({ length: 20 }, (_, i) => `k${i}`);
  await Promise.all(fields.map(k => maps.patch(f.context(), key('a'), patch('merge', { data: { [k]: 'v' } }), '')));
  const { object } = await maps.get(f.context(), key('a'), {});
  t.equal(Object.keys(object['data'] as object).length, 20);
});

t.test('patches that are refused', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  await maps.create(f.context(), NS, { ...configMap('a', { data: { k: '1' } }) });
  const live = (await maps.get(f.context(), key('a'), {})).encode().toString();
  const meta = live.slice(live.indexOf('"metadata"'), live.indexOf(',"data"'));
  const wrong = (data: string): string => `{"apiVersion":"v1","data":${data},"kind":"ConfigMap",${meta}}`;
  const invalid = (value: string, why: string): string =>
    ` "" is invalid: patch: Invalid value: ${JSON.stringify(value)}: ${why}`;
  const number = 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string';
  const cases: { name: string; request: PatchRequest; code: number; message: string }[] = [
    {
      name: 'merge, wrong type',
      request: patch('merge', { data: { z: 5 } }),
      code: 422,
      message: invalid(wrong('{"k":"1","z":5}'), number),
    },
    {
      name: 'json, wrong type',
      request: patch('json', [{ op: 'add', path: '/data/a', value: 5 }]),
      code: 422,
      message: invalid(wrong('{"a":5,"k":"1"}'), number),
    },
    {
      name: 'strategic, wrong type',
      request: patch('strategic', { data: 'x' }),
      code: 422,
      message: invalid('map[data:x]', 'cannot restore map from string'),
    },
    {
      name: 'strategic, unknown field',
      request: patch('strategic', { foo: 1 }),
      code: 422,
      message: invalid('map[foo:1]', 'strict decoding error: unknown field "foo"'),
    },
    {
      name: 'merge, twice the same field',
      request: { ...patch('merge', { data: { z: '2' } }), raw: Buffer.from('{"data":{"z":"1","z":"2"}}') },
      code: 422,
      message: invalid(wrong('{"k":"1","z":"2"}'), 'strict decoding error: duplicate field "data.z"'),
    },
    {
      name: 'json, twice the same member',
      request: {
        ...patch('json', [{ op: 'add', path: '/data/z', value: '2' }]),
        raw: Buffer.from('[{"op":"add","op":"add","path":"/data/z","value":"2"}]'),
      },
      code: 422,
      message: invalid(wrong('{"k":"1","z":"2"}'), 'strict decoding error: json patch duplicate field "[0].op"'),
    },
    {
      name: 'strategic, nulls are gone from what is shown',
      request: patch('strategic', { data: { z: { a: null } } }),
      code: 422,
      message: invalid('map[data:map[z:map[]]]', 'unrecognized type: string'),
    },
    {
      name: 'strategic, no base64',
      request: patch('strategic', { binaryData: { z: 'AAA' } }),
      code: 422,
      message: invalid('map[binaryData:map[z:AAA]]', 'error decoding from json: illegal base64 data at input byte 0'),
    },
    {
      name: 'merge with null',
      request: patch('merge', null),
      code: 400,
      message: 'Invalid JSON Patch',
    },
    {
      name: 'json, without apiVersion',
      request: patch('json', [{ op: 'remove', path: '/apiVersion' }]),
      code: 422,
      message: invalid(
        wrong('{"k":"1"}').replace('"apiVersion":"v1",', ''),
        'strict decoding error: unknown field "data", unknown field "metadata"',
      ),
    },
    {
      name: 'json, kind of another type',
      request: patch('json', [{ op: 'replace', path: '/kind', value: 5 }]),
      code: 422,
      message: invalid(
        wrong('{"k":"1"}').replace('"kind":"ConfigMap"', '"kind":5'),
        "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string",
      ),
    },
    {
      name: 'apply, value that does not fit',
      request: patch('apply', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        binaryData: { z: 'AAA' },
      }),
      code: 500,
      message:
        'failed to convert new object (/a; /v1, Kind=ConfigMap) to proper version: unable to convert unstructured ' +
        'object to /v1, Kind=ConfigMap: error decoding from json: illegal base64 data at input byte 0',
    },
    {
      name: 'apply, twice the same key',
      request: {
        ...patch('apply', {}),
        decode: () =>
          given({
            patch: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { z: '1' } },
            duplicateKeys: ['line 7: key "z" already set in map'],
          }),
      },
      code: 400,
      message:
        'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n' +
        '  line 7: key "z" already set in map',
    },
    {
      name: 'apply, version of too many parts',
      request: patch('apply', { apiVersion: 'a/b/c', kind: 'ConfigMap', metadata: { name: 'a' } }),
      code: 400,
      message: 'invalid object type: /, Kind=',
    },
    {
      name: 'json, fails',
      request: patch('json', [{ op: 'test', path: '/data/k', value: '2' }]),
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    },
    {
      name: 'renames',
      request: patch('merge', { metadata: { name: 'b' } }),
      code: 400,
      message: 'the name of the object (b) does not match the name on the URL (a)',
    },
    {
      name: 'old resourceVersion',
      request: patch('merge', { metadata: { resourceVersion: '99' } }),
      code: 409,
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    },
    {
      name: 'other uid',
      request: patch('merge', { metadata: { uid: 'u' } }),
      code: 422,
      message: 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "u": field is immutable',
    },
  ];
  for (const { name, request, code, message } of cases) {
    const error = await failure(maps.patch(f.context(), key('a'), request, ''));
    t.same([error.code, error.message], [code, message], name);
  }
  await maps.patch(f.context({ fieldValidation: 'Warn' }), key('a'), patch('strategic', { foo: 1 }), '');
  t.same(f.warnings, ['unknown field "foo"']);
  const text = 'uid mismatch: the provided object specified uid 1, and no existing object was found';
  const applied = { ...configMap('n'), metadata: { name: 'n', uid: '1' } };
  const error = await failure(maps.patch(f.context(), key('n'), patch('apply', applied), ''));
  t.same([error.code, error.message], [409, `Operation cannot be fulfilled on configmaps "n": ${text}`]);
});
