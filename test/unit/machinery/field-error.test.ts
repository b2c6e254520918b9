import t from 'tap';
import {
  errorList,
  errorsOf,
  invalid,
  MAX_FIELD_ERRORS,
  path,
  required,
  tooLong,
  tooMany,
} from '../../../src/machinery/field-error.js';
import { invalidError } from '../../../src/machinery/status.js';

t.test('values and counts are printed as Go prints them', async t => {
  const rows: readonly (readonly [string, string, string])[] = [
    [
      'HTML in JSON',
      invalid('a', { b: '<&>\u2028' }, 'x').message,
      'Invalid value: {"b":"\\u003c\\u0026\\u003e\\u2028"}: x',
    ],
    ['HTML in a text', invalid('a', '<&>', 'x').message, 'Invalid value: "<&>": x'],
    ['a small number', invalid('a', 1e-7, 'x').message, 'Invalid value: 1e-07: x'],
    ['a large number', invalid('a', 1e21, 'x').message, 'Invalid value: 1e+21: x'],
    ['a whole number', invalid('a', 12345678901, 'x').message, 'Invalid value: 12345678901: x'],
    ['one byte', tooLong('a', 1).message, 'Too long: may not be more than 1 byte'],
    ['bytes', tooLong('a', 2).message, 'Too long: may not be more than 2 bytes'],
    ['no number of bytes', tooLong('a', -1).message, 'Too long: value is too long'],
    ['one item', tooMany('a', 2, 1).message, 'Too many: 2: must have at most 1 item'],
    ['no number of items', tooMany('a', 2, -1).message, 'Too many: 2: has too many items'],
  ];
  for (const [name, message, expect] of rows) t.equal(message, expect, name);
});

t.test('a list of errors ends when their paths are longer than anybody reads', async t => {
  const long = path('a'.repeat(100_000));
  const errors = errorsOf(() => {
    const out = errorList();
    for (let i = 0; i < MAX_FIELD_ERRORS; i++) out.push(required(long.index(i)));
    return out;
  });
  t.ok(errors.length < 1000, `${errors.length} errors`);
  const { message } = invalidError({ group: '', kind: 'A' }, 'a', errors);
  t.ok(message.length < 5 * 1024 * 1024, `${message.length} characters`);
  t.match(message.slice(-100), /and \d+ more errors\]$/);
});
