import type { Expr } from '../ast.js';
import type { MacroMaker } from '../declarations.js';

/** A macro whose arguments are not what it needs. */
export class MacroProblem extends Error {
  constructor(
    readonly at: number,
    text: string,
  ) {
    super(text);
  }
}

/** What macros call what they accumulate: no expression can name it. */
export const ACCUMULATOR = '@result';
/** What it was called once, which is refused all the same. */
export const OLD_ACCUMULATOR = '__result__';
const NONE: ReadonlySet<number> = new Set();

/** Makes expressions at the place of a macro's call. */
export function createMaker(at: number, copy: (expr: Expr) => Expr): MacroMaker {
  const call = (target: Expr | undefined, name: string, args: readonly Expr[]): Expr => ({
    kind: 'call',
    target,
    name,
    args,
    at,
  });
  return {
    accumulator: ACCUMULATOR,
    copy,
    literal: value => ({ kind: 'literal', value, at }),
    ident: name => ({ kind: 'ident', name, at }),
    select: (of, field) => ({ kind: 'select', of, field, test: false, at }),
    presence: (of, field) => ({ kind: 'select', of, field, test: true, at }),
    call: (name, ...args) => call(undefined, name, args),
    memberCall: (target, name, ...args) => call(target, name, args),
    list: (...items) => ({ kind: 'list', items, optional: NONE, at }),
    map: (...entries) => ({
      kind: 'map',
      entries: entries.map(([key, value]) => ({ key, value, optional: false, at })),
      at,
    }),
    comprehension: parts => ({ kind: 'comprehension', ...parts, at }),
    fail: (expr, text) => new MacroProblem(expr.at, text),
  };
}
