import { compileGoRegex, type GoRegex } from '../../regex/go-regex.js';
import { RegexError } from '../../regex/syntax.js';
import type { Steps } from '../../steps.js';
import type { Declaration, Overload, Specialized, StaticNode, StaticProblem } from '../declarations.js';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../ranges.js';
import { BOOL, BYTES, INT, listOf, mapOf, param, STRING, type Type } from '../types.js';
import { CelError, type Value } from '../values.js';
import { characters, REGEX_COST, sizeOf, TEXT_COST } from './sizes.js';

const A = param('A');

function compile(pattern: string): GoRegex | CelError {
  try {
    return compileGoRegex(pattern);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    return new CelError(error.message);
  }
}

/** Of a literal once; a pattern that is none is often the same all the same. */
function specializeMatch([literal]: readonly (Value | undefined)[]): Specialized | CelError {
  let last = typeof literal === 'string' ? literal : '';
  let regex = compile(last);
  if (regex instanceof CelError) return regex;
  function* steps(text: Value, pattern: Value): Steps<Value> {
    if (pattern !== last) {
      last = pattern as string;
      regex = compile(last);
    }
    return regex instanceof CelError ? regex : yield* regex.steps(text as string);
  }
  return { bind: match, steps: steps };
}

function match(text: Value, pattern: Value): Value {
  const regex = compile(pattern as string);
  return regex instanceof CelError ? regex : regex.test(text as string);
}

const MATCH: Pick<Overload, 'args' | 'result' | 'bind' | 'specialize'> = {
  args: [STRING, STRING],
  result: BOOL,
  bind: match,
  specialize: ([, pattern]) => specializeMatch([pattern]),
};

/** cel-go looks at the first thing in the parentheses, which in a call without a receiver is the text. */
const validatePattern =
  (arg: number) =>
  (args: readonly StaticNode[]): readonly StaticProblem[] => {
    const literal = args[arg]?.literal;
    const isFine = typeof literal !== 'string' || !(compile(literal) instanceof CelError);
    return isFine ? [] : [{ arg, text: 'invalid matches argument' }];
  };

/** A text that has been counted is often counted again. */
function countText(): Overload['bind'] {
  let last = '';
  let count = 0n;
  return text => {
    if (text !== last) {
      last = text as string;
      count = BigInt(characters(last));
    }
    return count;
  };
}

function sizes(id: string, type: Type): readonly Overload[] {
  const isText = type.kind === 'string';
  const size: Omit<Overload, 'id'> = {
    args: [type],
    result: INT,
    bind: value => BigInt(sizeOf(value)),
    ...(isText ? { specialize: () => ({ bind: countText() }) } : {}),
  };
  return [
    { id: `size_${id}`, ...size },
    { id: `${id}_size`, member: true, ...size },
  ];
}

const reads = (text: (a: string, b: string) => boolean): Omit<Overload, 'id'> => ({
  member: true,
  args: [STRING, STRING],
  result: BOOL,
  bind: (a, b) => text(a as string, b as string),
  costIfKnown: true,
  cost: ([a]) => Math.ceil(sizeOf(a as Value) * TEXT_COST),
  estimate: ({ args: [, b], sizeOf: size }) => (b === undefined ? undefined : { cost: scaleRange(size(b), TEXT_COST) }),
});

/** Where the product of both lengths is larger, some texts take as long as that. */
const MAX_PRODUCT = 10_000_000;

/** `text.includes(part)`, in time that grows with both lengths: Knuth, Morris, Pratt. */
function includes(text: string, part: string): boolean {
  if (text.length * part.length <= MAX_PRODUCT) return text.includes(part);
  const back = new Int32Array(part.length);
  for (let at = 1, match = 0; at < part.length; at++) {
    const code = part.charCodeAt(at);
    while (match > 0 && part.charCodeAt(match) !== code) match = back[match - 1] ?? 0;
    if (part.charCodeAt(match) === code) match++;
    back[at] = match;
  }
  for (let at = 0, match = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (match > 0 && part.charCodeAt(match) !== code) match = back[match - 1] ?? 0;
    if (part.charCodeAt(match) === code) match++;
    if (match === part.length) return true;
  }
  return false;
}

/** What is found in a text is not longer than what it is looked for in. */
export const TEXTS: readonly Declaration[] = [
  {
    name: 'size',
    doc: 'How many characters a string, bytes, items a list or entries a map has.',
    examples: [
      { expr: "size('añ😀')", is: '3' },
      { expr: "b'ñ'.size()", is: '2' },
      { expr: "{'a': 1}.size()", is: '1' },
    ],
    overloads: [
      ...sizes('bytes', BYTES),
      ...sizes('list', listOf(A)),
      ...sizes('map', mapOf(A, param('B'))),
      ...sizes('string', STRING),
    ],
  },
  {
    name: 'contains',
    doc: 'Whether a string is in another.',
    examples: [{ expr: "'abc'.contains('b')", is: 'true' }],
    overloads: [
      {
        id: 'contains_string',
        ...reads(includes),
        cost: ([a, b]) => Math.ceil(sizeOf(a as Value) * TEXT_COST) * Math.ceil(sizeOf(b as Value) * TEXT_COST),
        estimate({ args: [a, b], sizeOf: size }) {
          if (a === undefined || b === undefined) return undefined;
          return { cost: multiplyRanges(scaleRange(size(a), TEXT_COST), scaleRange(size(b), TEXT_COST)) };
        },
      },
    ],
  },
  {
    name: 'endsWith',
    doc: 'Whether a string ends with another.',
    examples: [{ expr: "'abc'.endsWith('bc')", is: 'true' }],
    overloads: [{ id: 'ends_with_string', ...reads((a, b) => a.endsWith(b)) }],
  },
  {
    name: 'startsWith',
    doc: 'Whether a string begins with another.',
    examples: [{ expr: "'abc'.startsWith('b')", is: 'false' }],
    overloads: [{ id: 'starts_with_string', ...reads((a, b) => a.startsWith(b)) }],
  },
  {
    name: 'matches',
    doc: 'Whether a regular expression in the syntax of RE2 matches anywhere in a string.',
    examples: [
      { expr: "'abc'.matches('^a.c$')", is: 'true' },
      { expr: "matches('abc', 'b')", is: 'true' },
    ],
    overloads: [
      { id: 'matches', ...MATCH, validate: validatePattern(0) },
      {
        id: 'matches_string',
        member: true,
        ...MATCH,
        validate: validatePattern(1),
        costIfKnown: true,
        cost: ([text, pattern]) =>
          Math.ceil((1 + sizeOf(text as Value)) * TEXT_COST) * Math.ceil(sizeOf(pattern as Value) * REGEX_COST),
        estimate({ args: [text, pattern], sizeOf: size }) {
          if (text === undefined || pattern === undefined) return undefined;
          const read = scaleRange(addRanges(size(text), exactly(1)), TEXT_COST);
          return { cost: multiplyRanges(read, scaleRange(size(pattern), REGEX_COST)) };
        },
      },
    ],
  },
];
