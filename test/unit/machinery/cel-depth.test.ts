import t from 'tap';
import { compile } from '../../../src/machinery/cel/compile.js';
import { createEnvironment } from '../../../src/machinery/cel/environment.js';
import { STANDARD } from '../../../src/machinery/cel/standard/library.js';
import { DYN, printType } from '../../../src/machinery/cel/types.js';

const environment = createEnvironment({ libraries: [STANDARD], variables: new Map([['x', DYN]]) });

/** What is wrong with an expression, or its type. */
function told(source: string): string {
  const compiled = compile(source, environment);
  return 'problems' in compiled ? compiled.problems : printType(compiled.type);
}

/** What cel-go 0.26, the parser of upstream's 1.35, says of expressions nested d deep; asked of that parser itself. */
const NESTED = 'ERROR: <input>:-1:0: expression recursion limit exceeded: 250';
const CHAINED = 'ERROR: <input>:-1:0: max recursion depth exceeded';

for (const { name, make, last, text } of [
  { name: 'parentheses', make: (d: number) => `${'('.repeat(d)}1${')'.repeat(d)}`, last: 249, text: NESTED },
  { name: 'lists', make: (d: number) => `${'['.repeat(d)}1${']'.repeat(d)}`, last: 249, text: NESTED },
  { name: 'maps', make: (d: number) => `${'{1:'.repeat(d)}1${'}'.repeat(d)}`, last: 249, text: NESTED },
  { name: 'conditionals', make: (d: number) => `${'true?1:'.repeat(d)}1`, last: 249, text: NESTED },
  { name: 'calls', make: (d: number) => `${'f('.repeat(d)}1${')'.repeat(d)}`, last: 249, text: NESTED },
  { name: 'members', make: (d: number) => `x${'.a'.repeat(d)}`, last: 250, text: CHAINED },
  { name: 'indexes', make: (d: number) => `x${'[0]'.repeat(d)}`, last: 250, text: CHAINED },
  { name: 'methods', make: (d: number) => `x${'.b()'.repeat(d)}`, last: 250, text: CHAINED },
  { name: 'sums', make: (d: number) => `1${'+1'.repeat(d)}`, last: 250, text: CHAINED },
  { name: 'sums of products', make: (d: number) => `1${'+1*1'.repeat(d)}`, last: 249, text: CHAINED },
  { name: 'relations', make: (d: number) => `true${'==true'.repeat(d)}`, last: 250, text: CHAINED },
]) {
  t.test(`CEL: ${name} are as deep as cel-go has them`, async t => {
    const textOf = (d: number): string => told(make(d));
    t.notMatch(textOf(last), /recursion/, `${last}`);
    t.equal(textOf(last + 1), text, `${last + 1}`);
    t.equal(textOf(20_000).startsWith('ERROR: <input>:-1:0: '), true, '20,000');
  });
}

t.test('CEL: what is not nested may be long', async t => {
  t.equal(told(`true${' && true'.repeat(12_000)}`), 'bool');
  t.equal(told(`${'!'.repeat(60_001)}true`), 'bool');
  t.equal(
    told('a'.repeat(100_001)),
    'ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100001, limit 100000',
  );
  t.ok(told('#'.repeat(100_000)).split('ERROR').length <= 101, 'errors are told up to a hundred');
});
