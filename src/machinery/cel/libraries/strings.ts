import { trimSpace } from '../../go-space.js';
import type { CallEstimate, Declaration, EstimatedCall, Library, Overload, Range } from '../declarations.js';
import { MAX_COST } from '../declarations.js';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../ranges.js';
import { INT, listOf, STRING } from '../types.js';
import { itemsOf, type ListValue, type Value } from '../values.js';
import { TEXT_COST } from '../standard/sizes.js';
import { textCost, traversalCost } from './costs.js';
import { FORMAT } from './format.js';
import { copiesFirst, method, sizeOfArg } from './overloads.js';
import { overload } from '../standard/overload.js';
import * as text from './text.js';

/** Source: cel-go ext/strings.go, version 2 (which has no reverse()); costs: k8s.io/apiserver pkg/cel/library/cost.go. */
const TEXTS = listOf(STRING);

type Costs = Pick<Overload, 'cost' | 'costOfResult' | 'estimate'>;

/** What looks for something in a text. */
const SEARCH: Costs = {
  cost: args => traversalCost(args[0]),
  estimate: call => ({ cost: scaleRange(sizeOfArg(call, 0), TEXT_COST) }),
};

const REPLACE: Costs = { cost: args => textCost(args[0], 2), estimate: estimateReplace };
const SPLIT: Costs = { cost: args => textCost(args[0], 2), estimate: estimateSplit };
const JOIN: Costs = { costOfResult: (_args, result) => textCost(result, 2), estimate: estimateJoin };

/** Every character may be escaped. */
const QUOTE: Costs = {
  cost: args => textCost(args[0]),
  estimate(call) {
    const size = sizeOfArg(call, 0);
    return { cost: scaleRange(size, TEXT_COST), size: addRanges(multiplyRanges(size, { min: 1, max: 2 }), exactly(2)) };
  },
};

/** What becomes of a text's size at one end of its range, when `by` comes for every `part`. */
function replaced(size: number, part: number, isKept: boolean): { count: number; kept: number } {
  // Nothing is replaced by something in front of every character and behind the last one.
  if (part === 0) return { count: size < MAX_COST ? size + 1 : size, kept: size };
  return isKept ? { count: 0, kept: size } : { count: Math.ceil(size / part), kept: 0 };
}

function estimateReplace(call: EstimatedCall): CallEstimate {
  const [size, part, by] = [sizeOfArg(call, 0), sizeOfArg(call, 1), sizeOfArg(call, 2)];
  const most = replaced(size.max, part.min, by.max <= part.min);
  const least = replaced(size.min, part.max, part.max <= by.min);
  const count: Range = { min: least.count, max: most.count };
  return {
    cost: scaleRange(size, 2 * TEXT_COST),
    size: addRanges(multiplyRanges(count, by), { min: least.kept, max: most.kept }),
  };
}

function estimateSplit(call: EstimatedCall): CallEstimate {
  const size = sizeOfArg(call, 0);
  const limit = call.args[2]?.literal;
  const max = typeof limit !== 'bigint' ? size.max : limit < 0n ? MAX_COST : Number(limit);
  return { cost: scaleRange(size, 2 * TEXT_COST), size: { min: 0, max } };
}

function estimateJoin(call: EstimatedCall): CallEstimate | undefined {
  const [list, separator] = call.args;
  if (list === undefined) return undefined;
  const count = call.sizeOf(list);
  const item = call.itemOf(list);
  let size = item === undefined ? exactly(0) : multiplyRanges(count, call.sizeOf(item));
  if (separator !== undefined) {
    const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
    size = addRanges(size, multiplyRanges(call.sizeOf(separator), between));
  }
  return { cost: scaleRange(size, TEXT_COST), size };
}

/** %v of Go, of what has a simple one. */
function show(value: Value): string {
  if (typeof value === 'object') return value === null ? '0' : `{${value.kind}}`;
  return String(value);
}

const SEARCHES: readonly Declaration[] = [
  {
    name: 'indexOf',
    doc: 'Where the second text begins in the first one, at or after an offset; -1 when it does not.',
    examples: [
      { expr: `'hello mellow'.indexOf('ello')`, is: '1' },
      { expr: `'hello mellow'.indexOf('jello')`, is: '-1' },
      { expr: `'hello mellow'.indexOf('', 2)`, is: '2' },
      { expr: `'hello mellow'.indexOf('ello', 2)`, is: '7' },
      { expr: `'hello mellow'.indexOf('ello', 20)`, is: '-1' },
      { expr: `'hello mellow'.indexOf('ello', -1)`, error: 'index out of range: -1' },
      { expr: `'a😀b'.indexOf('b')`, is: '2' },
    ],
    overloads: [
      method(
        'string_index_of_string',
        [STRING, STRING],
        INT,
        (of: string, part: string) => text.indexOf(of, part),
        SEARCH,
      ),
      method('string_index_of_string_int', [STRING, STRING, INT], INT, text.indexOf, SEARCH),
    ],
  },
  {
    name: 'lastIndexOf',
    doc: 'Where the second text begins for the last time in the first one, at or before an offset; -1 when it does not.',
    examples: [
      { expr: `'hello mellow'.lastIndexOf('')`, is: '12' },
      { expr: `'hello mellow'.lastIndexOf('ello')`, is: '7' },
      { expr: `'hello mellow'.lastIndexOf('jello')`, is: '-1' },
      { expr: `'hello mellow'.lastIndexOf('ello', 6)`, is: '1' },
      { expr: `'hello mellow'.lastIndexOf('ello', 20)`, is: '-1' },
      { expr: `'hello mellow'.lastIndexOf('ello', -1)`, error: 'index out of range: -1' },
    ],
    overloads: [
      method(
        'string_last_index_of_string',
        [STRING, STRING],
        INT,
        (of: string, part: string) => text.lastIndexOf(of, part),
        SEARCH,
      ),
      method('string_last_index_of_string_int', [STRING, STRING, INT], INT, text.lastIndexOf, SEARCH),
    ],
  },
];

const PARTS: readonly Declaration[] = [
  {
    name: 'charAt',
    doc: 'The character at an index; empty at the end.',
    examples: [
      { expr: `'hello'.charAt(4)`, is: `'o'` },
      { expr: `'hello'.charAt(5)`, is: `''` },
      { expr: `'hello'.charAt(6)`, error: 'index out of range: 6' },
      { expr: `'a😀b'.charAt(1)`, is: `'😀'` },
    ],
    overloads: [method('string_char_at_int', [STRING, INT], STRING, text.charAt)],
  },
  {
    name: 'substring',
    doc: 'The characters from an index on, or up to another one.',
    examples: [
      { expr: `'tacocat'.substring(4)`, is: `'cat'` },
      { expr: `'tacocat'.substring(0, 4)`, is: `'taco'` },
      { expr: `'tacocat'.substring(-1)`, error: 'index out of range: -1' },
      { expr: `'tacocat'.substring(2, 1)`, error: 'invalid substring range. start: 2, end: 1' },
      { expr: `'tacocat'.substring(2, 9)`, error: 'index out of range: 9' },
    ],
    overloads: [
      method(
        'string_substring_int',
        [STRING, INT],
        STRING,
        (of: string, start: bigint) => text.substring(of, start),
        copiesFirst(),
      ),
      method('string_substring_int_int', [STRING, INT, INT], STRING, text.substring, copiesFirst()),
    ],
  },
  {
    name: 'split',
    doc: 'The parts between separators, or as many of them as a limit says, the last of which has the rest.',
    examples: [
      { expr: `'hello hello hello'.split(' ')`, is: `['hello', 'hello', 'hello']` },
      { expr: `'hello hello hello'.split(' ', 0)`, is: '[]' },
      { expr: `'hello hello hello'.split(' ', 1)`, is: `['hello hello hello']` },
      { expr: `'hello hello hello'.split(' ', 2)`, is: `['hello', 'hello hello']` },
      { expr: `'hello hello hello'.split(' ', -1)`, is: `['hello', 'hello', 'hello']` },
      { expr: `'abc'.split('', 2)`, is: `['a', 'bc']` },
    ],
    overloads: [
      method(
        'string_split_string',
        [STRING, STRING],
        TEXTS,
        (of: string, separator: string) => text.splitText(of, separator),
        SPLIT,
      ),
      method('string_split_string_int', [STRING, STRING, INT], TEXTS, text.splitText, SPLIT),
    ],
  },
];

const REWRITES: readonly Declaration[] = [
  {
    name: 'lowerAscii',
    doc: 'With lower case for ASCII letters.',
    examples: [{ expr: `'TacoCÆt Xii'.lowerAscii()`, is: `'tacocÆt xii'` }],
    overloads: [method('string_lower_ascii', [STRING], STRING, text.lowerAscii, copiesFirst())],
  },
  {
    name: 'upperAscii',
    doc: 'With upper case for ASCII letters.',
    examples: [{ expr: `'TacoCÆt Xii'.upperAscii()`, is: `'TACOCÆT XII'` }],
    overloads: [method('string_upper_ascii', [STRING], STRING, text.upperAscii, copiesFirst())],
  },
  {
    name: 'trim',
    doc: 'Without white space at both ends, as Unicode has it.',
    examples: [{ expr: `'  \\ttrim\\n    '.trim()`, is: `'trim'` }],
    overloads: [method('string_trim', [STRING], STRING, trimSpace, copiesFirst())],
  },
  {
    name: 'replace',
    doc: 'With every occurrence of a text replaced by another one, or as many as a limit says.',
    examples: [
      { expr: `'hello hello'.replace('he', 'we')`, is: `'wello wello'` },
      { expr: `'hello hello'.replace('he', 'we', -1)`, is: `'wello wello'` },
      { expr: `'hello hello'.replace('he', 'we', 1)`, is: `'wello hello'` },
      { expr: `'hello hello'.replace('he', 'we', 0)`, is: `'hello hello'` },
      { expr: `'hello'.replace('', '_')`, is: `'_h_e_l_l_o_'` },
    ],
    overloads: [
      method(
        'string_replace_string_string',
        [STRING, STRING, STRING],
        STRING,
        (of: string, part: string, by: string) => text.replaceText(of, part, by),
        REPLACE,
      ),
      method('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, text.replaceText, REPLACE),
    ],
  },
  {
    name: 'strings.quote',
    doc: 'Between double quotes, with escapes for what has one in CEL.',
    examples: [{ expr: `strings.quote('with "quotes"\\n')`, is: `'"with \\\\"quotes\\\\"\\\\n"'` }],
    overloads: [overload('strings_quote', [STRING], STRING, text.quoteText, QUOTE)],
  },
  {
    name: 'join',
    doc: 'Texts one after another, with a separator between them.',
    examples: [
      { expr: `['hello', 'mellow'].join()`, is: `'hellomellow'` },
      { expr: `['hello', 'mellow'].join(' ')`, is: `'hello mellow'` },
      { expr: `[].join('/')`, is: `''` },
      { expr: `[dyn('a'), dyn(1)].join()`, error: 'join: invalid input: 1' },
    ],
    overloads: [
      method('list_join', [TEXTS], STRING, (list: ListValue) => text.joinTexts(itemsOf(list), '', show), JOIN),
      method(
        'list_join_string',
        [TEXTS, STRING],
        STRING,
        (list: ListValue, separator: string) => text.joinTexts(itemsOf(list), separator, show),
        JOIN,
      ),
    ],
  },
];

export const STRINGS: Library = {
  name: 'cel.lib.ext.strings',
  functions: [...PARTS, ...SEARCHES, ...REWRITES, FORMAT],
};
