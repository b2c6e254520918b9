import type { Expr } from '../ast.js';
import type { Macro, MacroMaker } from '../declarations.js';

/** A name for a value: a comprehension over nothing whose result is looked at with the accumulator in scope. */
const bind = (make: MacroMaker, name: string, value: Expr, inner: Expr): Expr =>
  make.comprehension({
    range: make.list(),
    variable: '#unused',
    variable2: undefined,
    accumulator: name,
    init: value,
    condition: make.literal(false),
    step: make.ident(name),
    result: inner,
  });

export const BIND_MACRO: Macro = {
  name: 'bind',
  arity: 3,
  member: true,
  doc: 'A name for a value within an expression.',
  examples: [{ expr: "cel.bind(a, 'x', a + a)", is: "'xx'" }],
  expand(make, target, [name, value, inner]) {
    if (target?.kind !== 'ident' || target.name !== 'cel') return undefined;
    if (name?.kind !== 'ident') throw make.fail(name as Expr, 'cel.bind() variable names must be simple identifiers');
    return bind(make, name.name, value as Expr, inner as Expr);
  },
};

/** `target.name(x, …)` where target is an optional. */
const optional = (
  name: string,
  then: (make: MacroMaker, inner: Expr) => Expr,
): Pick<Macro, 'name' | 'arity' | 'member' | 'expand'> => ({
  name,
  arity: 2,
  member: true,
  expand(make, target, [variable, inner]) {
    if (variable?.kind !== 'ident')
      throw make.fail(variable as Expr, `${name}() variable name must be a simple identifier`);
    const value = make.memberCall(make.copy(target as Expr), 'value');
    return make.call(
      '_?_:_',
      make.memberCall(target as Expr, 'hasValue'),
      then(make, bind(make, variable.name, value, inner as Expr)),
      make.call('optional.none'),
    );
  },
});

export const OPTIONAL_MACROS: readonly Macro[] = [
  {
    ...optional('optMap', (make, inner) => make.call('optional.of', inner)),
    doc: 'An optional of what is made of the value, if there is one.',
    examples: [
      { expr: 'optional.of(1).optMap(x, x + 1)', is: 'optional.of(2)' },
      { expr: 'optional.none().optMap(x, x)', is: 'optional.none()' },
    ],
  },
  {
    ...optional('optFlatMap', (_make, inner) => inner),
    doc: 'The optional that is made of the value, if there is one.',
    examples: [{ expr: "{'a': {'b': 1}}.?a.optFlatMap(x, x.?b)", is: 'optional.of(1)' }],
  },
];
