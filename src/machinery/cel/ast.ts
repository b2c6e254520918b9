import type { Value } from './values.js';

/** An expression, macros expanded, as cel-go has it. Identity is what cel-go's ids are. */
export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension;

interface Placed {
  /** Offset in the source in UTF-16 units, where a problem is told. */
  readonly at: number;
}

export interface Literal extends Placed {
  readonly kind: 'literal';
  readonly value: Value;
}

export interface Ident extends Placed {
  readonly kind: 'ident';
  /** Begins with "." when it was written so. */
  readonly name: string;
}

export interface Select extends Placed {
  readonly kind: 'select';
  readonly of: Expr;
  readonly field: string;
  /** has(of.field) */
  readonly test: boolean;
}

export interface Call extends Placed {
  readonly kind: 'call';
  readonly target: Expr | undefined;
  /** Operators have names as `_+_`, `_?_:_`, `@in`. */
  readonly name: string;
  readonly args: readonly Expr[];
}

export interface ListExpr extends Placed {
  readonly kind: 'list';
  readonly items: readonly Expr[];
  /** Indices of those written `?x`. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry extends Placed {
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapExpr extends Placed {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

export interface StructField extends Placed {
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface StructExpr extends Placed {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly StructField[];
}

export interface Comprehension extends Placed {
  readonly kind: 'comprehension';
  readonly range: Expr;
  readonly variable: string;
  /** With two, the first one is the index or key. */
  readonly variable2: string | undefined;
  readonly accumulator: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** The parts of an expression. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return [expr.of];
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case 'list':
      return expr.items;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'comprehension':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}
