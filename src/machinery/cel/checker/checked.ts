import type { Expr } from '../ast.js';
import type { Overload } from '../declarations.js';
import type { Type } from '../types.js';

/** What a name in an expression stands for. */
export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  /** Of a comprehension around it. */
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'type'; readonly type: Type };

/** What a call calls: all overloads that fit; one, where the types of the arguments are known. */
export interface Callee {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** Of a function in a namespace, what is before the dot is no argument. */
  readonly isMember: boolean;
}

export interface Checked {
  readonly type: Type;
  readonly types: ReadonlyMap<Expr, Type>;
  readonly references: ReadonlyMap<Expr, Reference>;
  readonly callees: ReadonlyMap<Expr, Callee>;
}
