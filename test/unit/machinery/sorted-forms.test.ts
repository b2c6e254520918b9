import t from 'tap';
import { sortSet, type FieldSet } from '../../../src/machinery/managed-fields/field-set.js';
import { newPace } from '../../../src/machinery/pace.js';
import { areInOrder, sortElements } from '../../../src/machinery/managed-fields/path-element.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { yamlToJson, yamlValueSteps } from '../../../src/api/codec/yaml.js';

/** What is in order already is not parsed, sorted or copied: it must come out as if it had been. */

t.test('elements seen to be in order are those that sorting leaves as they are', t => {
  const keys = ['a', 'a b', 'a!b', 'a-b', 'ab', 'a.b', 'B', '', '\\"', '\\u0001', 'é', '~', '['];
  const elements = [
    ...keys.map(key => `k:{"name":"${key}"}`),
    'k:{"port":80}',
    'k:{"port":9}',
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"uid":"a"}',
    'f:a',
    'f:b',
    'f:A',
    'v:"a"',
    'v:10',
    'v:9',
    'i:10',
    'i:9',
  ];
  let seen = 0;
  for (const a of elements)
    for (const b of elements) {
      if (a === b) continue;
      const sorted = sortElements([a, b]);
      t.same(sortElements([b, a]), sorted);
      if (!areInOrder([a, b])) continue;
      seen++;
      t.same(sorted, [a, b]);
    }
  t.ok(seen > 20, 'many are');
  t.end();
});

t.test('a sorted set is kept, any other is put in order with "." first', t => {
  const sorted: FieldSet = { 'f:a': { '.': {}, 'k:{"name":"a"}': {}, 'k:{"name":"b"}': { '.': {}, 'f:x': {} } } };
  const once = atOnce(sortSet(sorted, newPace()));
  t.equal(atOnce(sortSet(once, newPace())), once);
  const mixed: FieldSet = {
    'f:b': {},
    'f:a': { 'k:{"name":"b"}': { 'f:x': {}, '.': {} }, '.': {}, 'k:{"name":"a"}': {} },
  };
  t.equal(
    JSON.stringify(atOnce(sortSet(mixed, newPace()))),
    '{"f:a":{".":{},"k:{\\"name\\":\\"a\\"}":{},"k:{\\"name\\":\\"b\\"}":{".":{},"f:x":{}}},"f:b":{}}',
  );
  t.end();
});

t.test('the value of YAML is what its JSON says', t => {
  for (const [name, text] of [
    ['JSON in order', '{"a":1,"b":{"c":[1,{"d":null}]}}'],
    ['JSON out of order', '{"b":{"z":1,"y":[{"n":1,"m":-0.0}]},"a":-0}'],
    ['keys of JSON that are numbers', '{"10":1,"9":2,"a":{"1":0}}'],
    ['a key that is no plain one', '{"z":1,"__proto__":{"b":1,"a":2}}'],
    ['blanks before colons', '{"b" :1, "a"\t: {"c"  :":"}}'],
    ['text with what looks like keys', '{"b":"\\":\\" :", "a":1}'],
    ['many digits in a text', '{"b":"12345678901234567890","a":{"1234567890123456789":1}}'],
    ['a number of many digits', '{"b":12345678901234567890,"a":[1.50,1e3,0]}'],
    ['a key that ends on another line', '{"b"\n:1}'],
    ['a value on another line', '{"b":\n1, \n"a":"\\u00e4\\n"}'],
    ['an escape of YAML', '{"b":"\\/","a":1}'],
    ['a half of a character', '{"b":"\\ud83d"}'],
    ['a duplicate key out of order', '{"b":1,"a":1,"b":2}'],
    ['JSON with more behind', '{"a":1} x'],
    ['a duplicate key', '{"a":1,"a":2}'],
    ['plain YAML', 'b: 1\na: [x, {z: 1, y: 2}]\n'],
    ['nothing', ''],
    ['an error', 'a: b: c'],
  ] as const) {
    const { json, ...rest } = yamlToJson(text);
    const { value, ...others } = atOnce(yamlValueSteps(text));
    t.same(others, rest, name);
    if (rest.error === undefined) t.equal(JSON.stringify(value), JSON.stringify(JSON.parse(json)), name);
  }
  t.equal(Object.is((atOnce(yamlValueSteps('{"a":-0}')).value as { a: number }).a, 0), true, 'no negative zero');
  t.end();
});
