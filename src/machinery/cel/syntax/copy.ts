import type { Expr } from '../ast.js';

/** An expression with parts of its own, as long as `may` says so: from then on it shares them. */
export function copyExpr(expr: Expr, may: () => boolean): Expr {
  if (!may()) return expr;
  const copy = (part: Expr): Expr => copyExpr(part, may);
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return { ...expr };
    case 'select':
      return { ...expr, of: copy(expr.of) };
    case 'call':
      return {
        ...expr,
        target: expr.target === undefined ? undefined : copy(expr.target),
        args: expr.args.map(copy),
      };
    case 'list':
      return { ...expr, items: expr.items.map(copy) };
    case 'map':
      return {
        ...expr,
        entries: expr.entries.map(entry => ({ ...entry, key: copy(entry.key), value: copy(entry.value) })),
      };
    case 'struct':
      return { ...expr, fields: expr.fields.map(field => ({ ...field, value: copy(field.value) })) };
    case 'comprehension': {
      const { range, init, condition, step, result } = expr;
      return {
        ...expr,
        range: copy(range),
        init: copy(init),
        condition: copy(condition),
        step: copy(step),
        result: copy(result),
      };
    }
  }
}
