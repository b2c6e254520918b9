import t from 'tap';
import { yamlToJson } from '../../../src/api/codec/yaml.js';
import type { FieldValidation } from '../../../src/api/codec/decode.js';
import { read, refusal } from '../../support/codec.js';

t.test("YAML that cannot be read, in go-yaml's words", async t => {
  const cases: Record<string, string> = {
    '{': 'line 1: did not find expected node content',
    '}': 'did not find expected node content',
    'a: b: c': 'mapping values are not allowed in this context',
    'a: b\n c: d': 'line 2: mapping values are not allowed in this context',
    'key\nfoo: bar': 'line 2: mapping values are not allowed in this context',
    'm:\n  a: x\n  b\n  c: y': "line 4: could not find expected ':'",
    'a: |\n x\ny': "line 4: could not find expected ':'",
    '- a\nb: c': "line 1: did not find expected '-' indicator",
    'a: [1, 2': "line 1: did not find expected ',' or ']'",
    'b: 1\na: [}': 'line 1: did not find expected node content',
    'a:\n  b: x\n c: y': 'line 2: did not find expected key',
    'a: "x': 'found unexpected end of stream',
    'a: "\\q"': 'found unknown escape character',
    'a: @b': 'found character that cannot start any token',
    'a: - b': 'block sequence entries are not allowed in this context',
    'a: *y': "unknown anchor 'y' referenced",
    'a: b\n\u0001': 'control characters are not allowed',
  };
  for (const [text, expect] of Object.entries(cases)) {
    const { error } = yamlToJson(text);
    t.equal(error, `yaml: ${expect}`, JSON.stringify(text));
  }
  t.equal(yamlToJson('b: 12345678901234567890\na: 1').json, '{"a":1,"b":12345678901234567890}');
});

t.test('YAML bodies', async t => {
  const yaml = (text: string, validation: FieldValidation = 'Warn') =>
    read(text, 'v1/ConfigMap', validation, 'application/yaml');
  t.strictSame(yaml('metadata:\n  name: a\ndata:\n  k: "1"\n  1: x\n').object, {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'a' },
    data: { 1: 'x', k: '1' },
  });
  t.equal(yaml('immutable: yes\n').object['immutable'], true, 'YAML 1.1 booleans');
  t.strictSame(yaml('data: {d: 2026-01-01}\n').object['data'], { d: '2026-01-01' }, 'dates stay text');
  for (const { name, input, expect } of [
    { name: 'JSON', input: '{"data":{"k":"v"}}', expect: { data: { k: 'v' } } },
    { name: 'a value like a key', input: '{"data":{"k":"\\"a\\": 1"}}', expect: { data: { k: '"a": 1' } } },
    { name: 'flow style that is no JSON', input: '{data: {k: v}}', expect: { data: { k: 'v' } } },
  ])
    t.match(yaml(input).object, expect, name);
  t.strictSame(
    yaml('{"data":{"k":"1","k":"2"}}').strictProblems,
    ['yaml: unmarshal errors:\n  line 1: key "k" already set in map'],
    'duplicate keys in JSON are told in the words of YAML',
  );
  t.strictSame(yaml('metadata:\n  name: a\n  name: b\nfoo: 1\n').strictProblems, [
    'yaml: unmarshal errors:\n  line 3: key "name" already set in map',
    'unknown field "foo"',
  ]);
  t.equal(
    refusal('a:\n\tb', 'v1/ConfigMap', 'application/yaml'),
    'the object provided is unrecognized (must be of type ConfigMap): yaml: line 2: found character that cannot start any token (613a0a0962)',
  );
  t.equal(
    refusal('data: {a: 1}\n', 'v1/ConfigMap', 'application/yaml'),
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  );
});

t.test('YAML as go-yaml reads it', async t => {
  const good: [text: string, json: string][] = [
    ['', 'null'],
    ['a: yes\nb: y\nc: "yes"\nd: ~\ne: !!str 5', '{"a":true,"b":true,"c":"yes","d":null,"e":"5"}'],
    ['- 0x1F\n- 017\n- 0o17\n- 1_000\n- 08\n- .5\n- 1:20', '[31,15,15,1000,8,0.5,"1:20"]'],
    ['- 12345678901234567890\n- 1e400\n- 2026-01-01', '[12345678901234567890,"1e400","2026-01-01"]'],
    ['a: &x {b: 1}\nc:\n  <<: *x\n  d: 2', '{"a":{"b":1},"c":{"b":1,"d":2}}'],
    ['a: |\n  x\n   y\n\nb: >-\n  x\n  y\n\n  z\n', '{"a":"x\\n y\\n","b":"x y\\nz"}'],
    ['? "a\\\n  b"\n: "c\n\n d"', '{"ab":"c\\nd"}'],
    ['{"a":1} what follows does not count', '{"a":1}'],
    ['a: b\n---\nc: {', '{"a":"b"}'],
    ['a:\n- b\n-\nc: [d: e, {f, g: }]', '{"a":["b",null],"c":[{"d":"e"},{"f":null,"g":null}]}'],
    ['1: a\n1.5: b\ntrue: c', '{"1":"a","1.5":"b","true":"c"}'],
    ['!!binary aGk=: !foo x', '{"hi":"x"}'],
  ];
  for (const [text, json] of good) t.same(yamlToJson(text), { json, duplicateKeys: [] }, text);
  const bad: [text: string, error: string][] = [
    ['{', 'yaml: line 1: did not find expected node content'],
    ['a: b: c', 'yaml: mapping values are not allowed in this context'],
    ['x: 1\na: b: c', 'yaml: line 2: mapping values are not allowed in this context'],
    ['a: b\n- c', 'yaml: line 1: did not find expected key'],
    ['a: - b', 'yaml: block sequence entries are not allowed in this context'],
    ['key\nb: c', 'yaml: line 2: mapping values are not allowed in this context'],
    ['a: 1\nkey\nb: c', "yaml: line 3: could not find expected ':'"],
    ['a: [b\nc: d', "yaml: line 1: did not find expected ',' or ']'"],
    ['a: "b', 'yaml: found unexpected end of stream'],
    ['a: "\\q"', 'yaml: found unknown escape character'],
    ['a: "\\ud800"', 'yaml: found invalid Unicode character escape code'],
    ['a:\n\tb: c', 'yaml: line 2: found character that cannot start any token'],
    ['a: @b', 'yaml: found character that cannot start any token'],
    ['a: *b', "yaml: unknown anchor 'b' referenced"],
    ['a: &b {c: *b}', "yaml: anchor 'b' value contains itself"],
    ['a: !h!x y', 'yaml: found undefined tag handle'],
    ['a: |0\n b', 'yaml: found an indentation indicator equal to 0'],
    ['a: \u0001', 'yaml: control characters are not allowed'],
    ['[a]: b', 'yaml: invalid map key: []interface {}{"a"}'],
    ['~: b', 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "b"'],
    ['a: .inf', 'json: unsupported value: +Inf'],
    ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
    ['<<: x', 'yaml: map merge requires map or sequence of maps as the value'],
    ['['.repeat(100_000), 'yaml: exceeded max depth of 10000'],
  ];
  for (const [text, error] of bad) t.equal(yamlToJson(text).error, error, text.slice(0, 40));
  t.same(yamlToJson('a: 1\nb:\n  1: x\n  1: y\na:\n  c').duplicateKeys, [
    'line 4: key 1 already set in map',
    'line 6: key "a" already set in map',
  ]);
});
