import t from 'tap';
import { compileGoRegex } from '../../../src/machinery/regex/go-regex.js';

/** pattern, what it matches, what it does not: answers of Go's regexp package. */
const ROWS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['^a+$', ['a', 'aaa'], ['', 'aab', 'a\n']],
  ['[0-9]', ['x1y'], ['abc', '']],
  ['(?i)k', ['K', '\u212a'], ['s']],
  ['(?i)s', ['S', 'ſ'], ['k']],
  ['(?m)^b$', ['a\nb', 'b'], ['ab']],
  ['^b$', ['b'], ['a\nb']],
  ['(?s)^.$', ['\n', '😀', 'a'], ['ab', '']],
  ['^.$', ['😀', 'é'], ['\n', '😀😀']],
  ['^[^a]$', ['😀', 'b'], ['a']],
  ['\\bfoo\\b', ['a foo', 'foo'], ['food']],
  ['^\\p{Lu}\\P{L}$', ['A1', 'Ä-'], ['a1', 'AB']],
  ['^[\\p{Greek}\\d]{2}$', ['α1'], ['a1']],
  ['^[[:alpha:]_]+$', ['a_Z'], ['a1']],
  ['^(?:a|b(?P<n>c))*?d$', ['abcd', 'd'], ['abd']],
  ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']],
  ['a{,2}', ['a{,2}'], ['aa']],
  ['^\\Qa.b\\E$', ['a.b'], ['axb']],
  ['^\\x41\\x{1F600}$', ['A😀'], ['A']],
  ['', ['', 'a'], []],
];

t.test('patterns match what they match in Go', async t => {
  for (const [pattern, matching, others] of ROWS) {
    const regex = compileGoRegex(pattern);
    for (const text of matching) t.ok(regex.test(text), `${pattern} matches ${JSON.stringify(text)}`);
    for (const text of others) t.notOk(regex.test(text), `${pattern} does not match ${JSON.stringify(text)}`);
  }
});

t.test('what is no pattern is refused in Go’s words', async t => {
  for (const [pattern, error] of [
    ['(', 'missing closing ): `(`'],
    ['a)', 'unexpected ): `a)`'],
    ['[a', 'missing closing ]: `[a`'],
    ['[z-a]', 'invalid character class range: `z-a`'],
    ['*', 'missing argument to repetition operator: `*`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['(a{1000}){2}', 'invalid repeat count: `{2}`'],
    ['\\q', 'invalid escape sequence: `\\q`'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
    ['\\', 'trailing backslash at end of expression: ``'],
  ] as const)
    t.throws(() => compileGoRegex(pattern), { message: `error parsing regexp: ${error}` }, pattern);
});

t.test('a long text is looked through in steps, each character once', async t => {
  const steps = compileGoRegex('^(a+)+$').steps(`${'a'.repeat(500_000)}b`);
  let rests = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) rests++;
  t.equal(step.value, false);
  t.ok(rests >= 4 && rests < 100, `${rests} rests`);
});
