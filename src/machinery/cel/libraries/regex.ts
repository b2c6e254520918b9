import { compileGoFinder, type Found, type GoFinder } from '../../regex/go-find.js';
import { RegexError } from '../../regex/syntax.js';
import { atOnce, type Steps } from '../../steps.js';
import {
  MAX_COST,
  type CallEstimate,
  type EstimatedCall,
  type Library,
  type Overload,
  type Specialized,
} from '../declarations.js';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../ranges.js';
import { INT, listOf, STRING } from '../types.js';
import { ArrayList, CelError, type Value } from '../values.js';
import { sizeOf, REGEX_COST, TEXT_COST } from '../standard/sizes.js';
import { matchCost } from './costs.js';
import { method, sizeOfArg } from './overloads.js';

/** Source: k8s.io/apiserver pkg/cel/library/regex.go. A pattern that is a literal is compiled with the program. */
type Search = (finder: GoFinder, text: string, limit: bigint) => Steps<Value>;

function* first(finder: GoFinder, text: string): Steps<Value> {
  const found = yield* finder.find(text, 0);
  return found === undefined ? '' : part(text, found);
}

function* all(finder: GoFinder, text: string, limit: bigint): Steps<Value> {
  const found = yield* finder.findAll(text, limit < 0n ? Infinity : Number(limit));
  return new ArrayList(found.map(one => part(text, one)));
}

const part = (text: string, { start, end }: Found): string => text.slice(start, end);

/** Some expressions look at the rest of the text again behind each match: only that takes so many times as long. */
const PATIENCE = 16;

function* run(search: Search, finder: GoFinder, text: string, limit: bigint): Steps<Value> {
  let left = finder.stepsFor(text) * PATIENCE;
  const steps = search(finder, text, limit);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    if (left-- <= 0) return new CelError('regular expression takes too long on this text');
    yield;
  }
}

function compile(pattern: string): GoFinder | string {
  try {
    return compileGoFinder(pattern);
  } catch (error) {
    if (error instanceof RegexError) return error.message;
    throw error;
  }
}

/** Compiles literals once, everything else whenever it is called. */
function specialize(search: Search, constants: readonly (Value | undefined)[]): Specialized | CelError {
  const pattern = constants[1];
  const known = typeof pattern === 'string' ? compile(pattern) : undefined;
  if (typeof known === 'string') return new CelError(known);
  function* steps(...args: Value[]): Steps<Value> {
    const [text, regex, limit = -1n] = args as [string, string, bigint?];
    const finder = known ?? compile(regex);
    if (typeof finder === 'string') return new CelError(`Illegal regex: ${finder}`);
    return yield* run(search, finder, text, limit);
  }
  return { bind: (...args) => atOnce(steps(...args)), steps };
}

function estimate(call: EstimatedCall): CallEstimate {
  const size = sizeOfArg(call, 0);
  const perText = scaleRange(addRanges(size, exactly(1)), TEXT_COST);
  return {
    cost: multiplyRanges(perText, scaleRange(sizeOfArg(call, 1), REGEX_COST)),
    size: { min: 0, max: Math.min(size.max, MAX_COST) },
  };
}

const using = (search: Search): Pick<Overload, 'specialize' | 'cost' | 'estimate'> => ({
  specialize: constants => specialize(search, constants),
  cost: args => matchCost(args[0], sizeOf(args[1] ?? null)),
  estimate,
});

/** For who does not ask for a place in an expression. */
const bind =
  (search: Search) =>
  (...args: readonly Value[]): Value => {
    const found = specialize(search, []);
    return found instanceof CelError ? found : found.bind(...args);
  };

export const REGEX: Library = {
  name: 'kubernetes.regex',
  functions: [
    {
      name: 'find',
      doc: 'The first part of a text that matches a regular expression; empty when none does.',
      examples: [
        { expr: `'abc 123'.find('[0-9]+')`, is: `'123'` },
        { expr: `'abc 123'.find('[0-9]*')`, is: `''` },
        { expr: `'abc 123'.find('xyz')`, is: `''` },
        { expr: `'aab'.find('a|aab')`, is: `'a'` },
      ],
      overloads: [method('string_find_string', [STRING, STRING], STRING, bind(first), using(first))],
    },
    {
      name: 'findAll',
      doc: 'All parts of a text that match a regular expression, or as many of them as a limit says.',
      examples: [
        { expr: `'123 abc 456'.findAll('[0-9]+')`, is: `['123', '456']` },
        { expr: `'123 abc 456'.findAll('[0-9]+', 1)`, is: `['123']` },
        { expr: `'123 abc 456'.findAll('[0-9]+', 0)`, is: '[]' },
        { expr: `'123 abc 456'.findAll('xyz')`, is: '[]' },
      ],
      overloads: [
        method('string_find_all_string', [STRING, STRING], listOf(STRING), bind(all), using(all)),
        method('string_find_all_string_int', [STRING, STRING, INT], listOf(STRING), bind(all), using(all)),
      ],
    },
  ],
};
