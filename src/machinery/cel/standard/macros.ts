import type { Expr } from '../ast.js';
import type { Macro, MacroMaker } from '../declarations.js';
import { OLD_ACCUMULATOR } from '../syntax/maker.js';

/**
 * The macros of the language. What they stand for is cel-go's (parser/macro.go, ext/comprehensions.go), since costs are
 * counted in it. A macro of two variables is given an index or a key, and a value.
 */
type Make = (make: MacroMaker, over: Expr, variables: Variables, rest: readonly Expr[]) => Expr;
type Variables = readonly [string] | readonly [string, string];

const OVERWRITES = 'iteration variable overwrites accumulator variable';

/** `over.name(x, …)` */
function loop(
  name: string,
  arity: number,
  isTransform: boolean,
  make: Make,
): Pick<Macro, 'expand' | 'name' | 'arity' | 'member'> {
  return {
    name,
    arity,
    member: true,
    expand(maker, target, args) {
      const [variable] = args as [Expr];
      if (variable.kind !== 'ident')
        throw maker.fail(variable, isTransform ? 'argument is not an identifier' : 'argument must be a simple name');
      if (variable.name === OLD_ACCUMULATOR) throw maker.fail(variable, OVERWRITES);
      return make(maker, target as Expr, [variable.name], args.slice(1));
    },
  };
}

/** `over.name(i, x, …)` */
function loop2(name: string, arity: number, make: Make): Pick<Macro, 'expand' | 'name' | 'arity' | 'member'> {
  return {
    name,
    arity,
    member: true,
    expand(maker, target, args) {
      const [first, second] = args as [Expr, Expr];
      for (const variable of [first, second])
        if (variable.kind !== 'ident') throw maker.fail(variable, 'argument must be a simple name');
      if (first.kind !== 'ident' || second.kind !== 'ident') return undefined;
      if (first.name === second.name) throw maker.fail(second, `duplicate variable name: ${first.name}`);
      for (const variable of [first, second])
        if (variable.name === OLD_ACCUMULATOR) throw maker.fail(variable, OVERWRITES);
      return make(maker, target as Expr, [first.name, second.name], args.slice(2));
    },
  };
}

interface Fold {
  readonly init: Expr;
  readonly condition?: Expr;
  readonly step: Expr;
  readonly result?: Expr;
}

const fold = (make: MacroMaker, range: Expr, [variable, variable2]: Variables, parts: Fold): Expr =>
  make.comprehension({
    range,
    variable,
    variable2,
    accumulator: make.accumulator,
    init: parts.init,
    condition: parts.condition ?? make.literal(true),
    step: parts.step,
    result: parts.result ?? make.ident(make.accumulator),
  });

const accumulator = (make: MacroMaker): Expr => make.ident(make.accumulator);

const all: Make = (make, over, variables, [predicate]) =>
  fold(make, over, variables, {
    init: make.literal(true),
    condition: make.call('@not_strictly_false', accumulator(make)),
    step: make.call('_&&_', accumulator(make), predicate as Expr),
  });

const exists: Make = (make, over, variables, [predicate]) =>
  fold(make, over, variables, {
    init: make.literal(false),
    condition: make.call('@not_strictly_false', make.call('!_', accumulator(make))),
    step: make.call('_||_', accumulator(make), predicate as Expr),
  });

const existsOne: Make = (make, over, variables, [predicate]) =>
  fold(make, over, variables, {
    init: make.literal(0n),
    step: when(make, predicate as Expr, make.call('_+_', accumulator(make), make.literal(1n))),
    result: make.call('_==_', accumulator(make), make.literal(1n)),
  });

const when = (make: MacroMaker, condition: Expr, then: Expr): Expr =>
  make.call('_?_:_', condition, then, accumulator(make));

/** The last is what is made, one before it the condition. */
function conditional(make: MacroMaker, rest: readonly Expr[], step: (made: Expr) => Expr): Expr {
  const [first, second] = rest as [Expr, Expr?];
  return second === undefined ? step(first) : when(make, first, step(second));
}

const toList: Make = (make, over, variables, rest) =>
  fold(make, over, variables, {
    init: make.list(),
    step: conditional(make, rest, made => make.call('_+_', accumulator(make), make.list(made))),
  });

const filter: Make = (make, over, variables, [predicate]) =>
  toList(make, over, variables, [predicate as Expr, make.ident(variables[0])]);

const toMap: Make = (make, over, variables, rest) =>
  fold(make, over, variables, {
    init: make.map(),
    step: conditional(make, rest, made =>
      make.call('cel.@mapInsert', accumulator(make), make.ident(variables[0]), made),
    ),
  });

const toMapEntry: Make = (make, over, variables, rest) =>
  fold(make, over, variables, {
    init: make.map(),
    step: conditional(make, rest, made => make.call('cel.@mapInsert', accumulator(make), made)),
  });

export const STANDARD_MACROS: readonly Macro[] = [
  {
    name: 'has',
    arity: 1,
    member: false,
    doc: 'Whether a field is set, or a map has a key that is written as a field.',
    examples: [
      { expr: "has({'a': 1}.a)", is: 'true' },
      { expr: "has({'a': 1}.b)", is: 'false' },
    ],
    expand(make, _target, [of]) {
      if (of?.kind !== 'select') throw make.fail(of as Expr, 'invalid argument to has() macro');
      return make.presence(of.of, of.field);
    },
  },
  {
    ...loop('all', 2, false, all),
    doc: 'Whether a predicate holds for all items of a list or keys of a map.',
    examples: [
      { expr: '[1, 2].all(x, x > 0)', is: 'true' },
      { expr: '[1, 0].all(x, 1 / x > 5)', is: 'false' },
    ],
  },
  {
    ...loop('exists', 2, false, exists),
    doc: 'Whether a predicate holds for any item of a list or key of a map.',
    examples: [
      { expr: '[1, 2].exists(x, x > 1)', is: 'true' },
      { expr: "{'a': 1}.exists(k, k == 'b')", is: 'false' },
    ],
  },
  {
    ...loop('exists_one', 2, false, existsOne),
    doc: 'Whether a predicate holds for one item of a list or key of a map. It absorbs no failures.',
    examples: [{ expr: '[1, 2, 2].exists_one(x, x == 2)', is: 'false' }],
  },
  {
    ...loop('map', 2, true, toList),
    doc: 'A list of what is made of each item of a list or key of a map.',
    examples: [{ expr: '[1, 2].map(x, x * 2)', is: '[2, 4]' }],
  },
  {
    ...loop('map', 3, true, toList),
    doc: 'The same, of those for which a predicate holds.',
    examples: [{ expr: '[1, 2].map(x, x > 1, x * 2)', is: '[4]' }],
  },
  {
    ...loop('filter', 2, true, filter),
    doc: 'A list of the items of a list or keys of a map for which a predicate holds.',
    examples: [{ expr: '[1, 2, 3].filter(x, x > 1)', is: '[2, 3]' }],
  },
];

export const TWO_VARIABLE_MACROS: readonly Macro[] = [
  {
    ...loop2('all', 3, all),
    doc: 'Whether a predicate holds for each index and item, or key and value.',
    examples: [{ expr: '[1, 2].all(i, x, i < x)', is: 'true' }],
  },
  {
    ...loop2('exists', 3, exists),
    doc: 'Whether a predicate holds for an index and item, or key and value.',
    examples: [{ expr: "{'a': 1}.exists(k, v, k == 'a' && v == 1)", is: 'true' }],
  },
  {
    ...loop2('existsOne', 3, existsOne),
    doc: 'Whether a predicate holds for one index and item, or key and value.',
    examples: [{ expr: '[1, 2].existsOne(i, x, i == 0 || x == 2)', is: 'false' }],
  },
  {
    ...loop2('exists_one', 3, existsOne),
    doc: 'As existsOne.',
    examples: [{ expr: '[1, 2].exists_one(i, x, i == 0)', is: 'true' }],
  },
  {
    ...loop2('transformList', 3, toList),
    doc: 'A list of what is made of each index and item, or key and value.',
    examples: [{ expr: '[5, 6].transformList(i, x, i * x)', is: '[0, 6]' }],
  },
  {
    ...loop2('transformList', 4, toList),
    doc: 'The same, of those for which a predicate holds.',
    examples: [{ expr: '[5, 6].transformList(i, x, i > 0, x)', is: '[6]' }],
  },
  {
    ...loop2('transformMap', 3, toMap),
    doc: 'A map with the same keys, and what is made of each key and value.',
    examples: [{ expr: "{'a': 1}.transformMap(k, v, v + 1)", is: "{'a': 2}" }],
  },
  {
    ...loop2('transformMap', 4, toMap),
    doc: 'The same, of those for which a predicate holds.',
    examples: [{ expr: "{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v)", is: "{'b': 2}" }],
  },
  {
    ...loop2('transformMapEntry', 3, toMapEntry),
    doc: 'A map of the entries that are made of each key and value. A key may come once.',
    examples: [
      { expr: "{'a': 'x'}.transformMapEntry(k, v, {v: k})", is: "{'x': 'a'}" },
      {
        expr: "{'a': 'x', 'b': 'x'}.transformMapEntry(k, v, {v: k})",
        error: 'insert failed: key x already exists',
      },
    ],
  },
  {
    ...loop2('transformMapEntry', 4, toMapEntry),
    doc: 'The same, of those for which a predicate holds.',
    examples: [{ expr: "{'a': 'x', 'b': 'y'}.transformMapEntry(k, v, k == 'a', {v: k})", is: "{'x': 'a'}" }],
  },
];
