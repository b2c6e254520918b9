import t from 'tap';
import { atOnce } from '../../../src/machinery/steps.js';
import { decodePatch } from '../../../src/server/handlers/decode-patch.js';

t.test(
  'half a pair of surrogates is U+FFFD in what a patch says, in texts and in keys, as encoding/json reads it',
  t => {
    for (const { name, input, expect } of [
      { name: 'a text', input: String.raw`{"a":"x\ud83dy\uDC00"}`, expect: { a: 'x\ufffdy\ufffd' } },
      {
        name: 'a key',
        input: String.raw`{"b\ud83d":{"c":["\udfff",1,null]}}`,
        expect: { 'b\ufffd': { c: ['\ufffd', 1, null] } },
      },
      { name: 'a pair', input: String.raw`{"a":"\ud83d\ude00"}`, expect: { a: '😀' } },
      {
        name: 'a backslash before a text that looks like one',
        input: String.raw`{"a":"\\ud83d"}`,
        expect: { a: '\\ud83d' },
      },
      { name: 'nothing but a text', input: String.raw`"\ud83d"`, expect: '\ufffd' },
    ] as const)
      for (const type of ['merge', 'strategic', 'json'] as const)
        t.same(atOnce(decodePatch(Buffer.from(input), type, true)).patch, expect, `${name}, ${type}`);
    t.end();
  },
);
