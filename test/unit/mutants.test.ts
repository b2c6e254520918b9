import t from 'tap';
import { instrument } from '../mutate/instrument.js';

/** What the function `f` of a source gives with each of its mutants, and without. */
function outcomes(source: string, ...args: readonly unknown[]): Record<string, unknown> {
  const { text, mutants } = instrument('a.js', source, 0, true);
  const run = (active: number): unknown => {
    const asks = (id: number): boolean => id === active;
    // The text is ours: two lines above.
    // oxlint-disable-next-line typescript/no-implied-eval
    const made = new Function('globalThis', `${text}; return f;`) as (
      global: object,
    ) => (...args: unknown[]) => unknown;
    try {
      return made({ __mutant: asks })(...structuredClone(args));
    } catch (error) {
      return String(error);
    }
  };
  return Object.fromEntries([
    ['as it is', run(-1)],
    ...mutants.map(({ id, name, text }) => [`${name}: ${text}`, run(id)]),
  ]) as Record<string, unknown>;
}

const CASES: readonly {
  readonly name: string;
  readonly source: string;
  readonly args: readonly unknown[];
  readonly expect: Record<string, unknown>;
}[] = [
  {
    name: 'each item of a list is left out',
    source: 'const f = (a, more) => [a, ...more];',
    args: [1, [2]],
    expect: {
      'as it is': [1, 2],
      'the function does nothing: (a, more) => [a, ...more]': undefined,
      'without the item: a': [2],
      'without the items: ...more': [1],
    },
  },
  {
    name: 'of a condition each half is left out, and each comparison turned',
    source: 'function f(a, b) { return a === 1 && !b ? true : 0; }',
    args: [1, true],
    expect: {
      'as it is': 0,
      'the function does nothing: function f(a, b) { return a === 1 && !b ? true : 0; }': undefined,
      'only the left of &&: a === 1 && !b': true,
      'only the right of &&: a === 1 && !b': 0,
      '=== is !==: a === 1': 0,
      'without the not: !b': true,
      'true is false: true': 0,
    },
  },
  {
    name: 'an effect is left out, and does not take the else of another with it',
    source: 'function f(list, a) { if (a) list.push(1); else list.push(2); return list; }',
    args: [[], false],
    expect: {
      'as it is': [2],
      'the function does nothing: function f(list, a) { if (a) list.push(1); else list.push(2); return list; }':
        undefined,
      'a condition is inverted: a': [1],
      'without the effect: list.push(1);': [2],
      'without the effect: list.push(2);': [],
    },
  },
  {
    name: 'what asks all asks some, what selects lets pass, fields are missing, texts are empty',
    source: "function f(list) { return { ...{ all: list.every(x => x), some: list.filter(Boolean) }, a: 'b' }; }",
    args: [[1, 0]],
    expect: {
      'as it is': { all: false, some: [1], a: 'b' },
      "the function does nothing: function f(list) { return { ...{ all: list.every(x => x), some: list.filter(Boolean) }, a: 'b' }; }":
        undefined,
      'without the fields: ...{ all: list.every(x => x), some: list.filter(Boolean) }': { a: 'b' },
      'every is some: list.every(x => x)': { all: true, some: [1], a: 'b' },
      'the filter lets all pass: list.filter(Boolean)': { all: false, some: [1, 0], a: 'b' },
      "a text is empty: 'b'": { all: false, some: [1], a: '' },
    },
  },
  {
    name: 'what an error says is nobody’s matter, nor what stands in the middle of an optional chain',
    source: "function f(a) { if (a?.list.filter(x => x).length > 1) throw new Error('a' + 'b'); }",
    args: [{ list: [1, 0, 2] }],
    expect: {
      'as it is': 'Error: ab',
      "the function does nothing: function f(a) { if (a?.list.filter(x => x).length > 1) throw new Error('a' + 'b'); }":
        undefined,
      '> is >=: a?.list.filter(x => x).length > 1': 'Error: ab',
      '> is <=: a?.list.filter(x => x).length > 1': undefined,
    },
  },
];

for (const { name, source, args, expect } of CASES)
  t.test(name, async t => t.strictSame(outcomes(source, ...args), expect));
