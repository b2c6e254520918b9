import t from 'tap';
import { goJsonSyntaxError } from '../../../src/machinery/go-json.js';

t.test('errors of Go JSON syntax', async t => {
  const cases: [text: string, expect: string | undefined][] = [
    ['{}', undefined],
    [' [1, -2.5e+3, "\\u00e9", true, null] ', undefined],
    ['', 'unexpected end of JSON input'],
    ['{"a"', 'unexpected end of JSON input'],
    ['{"a":tru', `invalid character ' ' in literal true (expecting 'e')`],
    ['[1.', `invalid character ' ' after decimal point in numeric literal`],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['falsy', "invalid character 'y' in literal false (expecting 'e')"],
    ["'", "invalid character '\\'' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
  ];
  for (const [text, expect] of cases) t.equal(goJsonSyntaxError(Buffer.from(text)), expect, text);
});
