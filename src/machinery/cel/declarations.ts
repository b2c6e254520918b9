import type { Steps } from '../steps.js';
import type { Comprehension, Expr } from './ast.js';
import type { Type } from './types.js';
import type { CelError, Value } from './values.js';

/**
 * What there is to call, declared once: the checker reads the types, the evaluator the bindings and costs, the estimator
 * the estimates, documentation and tests the rest. An environment is a list of libraries.
 */
export interface Library {
  readonly name: string;
  readonly functions: readonly Declaration[];
  readonly macros?: readonly Macro[];
  readonly types?: readonly TypeDeclaration[];
}

export interface Declaration {
  /** With dots when it is in a namespace: "ip.isCanonical". */
  readonly name: string;
  readonly doc: string;
  /** Each is a test. */
  readonly examples: readonly Example[];
  /** In the order in which the checker tries them. */
  readonly overloads: readonly Overload[];
}

export interface Example {
  readonly expr: string;
  /** A CEL expression that is equal to it. */
  readonly is?: string;
  /** Or the message of the failure, at run time or of the check. */
  readonly error?: string;
}

/** Is given as many values as the overload has arguments; the receiver is the first. None of them is an error. */
export type Binding = (...args: Value[]) => Value;

export interface Overload {
  /** cel-go's id, as "string_to_int". Unique in an environment. */
  readonly id: string;
  /** Called on its first argument: `a.f(b)`. */
  readonly member?: true;
  readonly args: readonly Type[];
  readonly result: Type;
  /**
   * Arguments are of the declared kinds: others are `no such overload` before it is asked. Which overload a dyn argument
   * means is decided by values.
   */
  readonly bind: Binding;
  /**
   * For a place in an expression, once, when it is compiled: `constants` are the arguments that are literals. A binding
   * for this place, which may remember what it worked out; a CelError: the program cannot be made ("program instantiation
   * failed"); undefined: `bind`.
   */
  specialize?(constants: readonly (Value | undefined)[]): Specialized | CelError | undefined;
  /**
   * At run time, before the call, so that what is too expensive does not happen. Whole; absent: 1. Arguments may be
   * errors: a call that fails is counted, too.
   */
  cost?(args: readonly Value[]): number;
  /** At run time, what is in lists and maps does not say whether it is this overload. */
  readonly anyItems?: true;
  /** `cost` counts only where the types of the arguments say which overload it is; elsewhere it is 1. As cel-go's own. */
  readonly costIfKnown?: true;
  /** Instead of `cost`, for what only its result can tell. The work itself must be bounded by its arguments. */
  costOfResult?(args: readonly Value[], result: Value): number;
  /** Before it runs; absent or undefined: 1. The costs of the arguments themselves are not in it. */
  estimate?(call: EstimatedCall): CallEstimate | undefined;
  /** Whether lists and maps that are written out in its arguments may have values of several types. */
  readonly mixesTypes?: true;
  /** What a check on write finds wrong in literals: cel-go's AST validators. */
  readonly validate?: (args: readonly StaticNode[]) => readonly StaticProblem[];
}

export interface Specialized {
  readonly bind: Binding;
  /** The same, of what may take long on hostile arguments: it rests within. Wins over `bind`. */
  readonly steps?: (...args: Value[]) => Steps<Value>;
}

/** An argument as it was written. */
export interface StaticNode {
  readonly type: Type;
  readonly literal?: Value;
  /** Of a list that was written out. */
  readonly items?: readonly StaticNode[];
}

export interface StaticProblem {
  /** Which argument, and which item of it; absent: the call. */
  readonly arg?: number;
  readonly item?: number;
  readonly text: string;
}

/** From, to; both at most MAX_COST, where arithmetic stops. Costs and sizes are counted alike. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** cel-go's math.MaxUint64. */
export const MAX_COST = 2 ** 64;

/** Something that an estimate is about. */
export interface EstimatedNode {
  /** From a variable through fields, '@items', '@keys', '@values'; undefined when it comes from elsewhere. */
  readonly path: readonly string[] | undefined;
  readonly type: Type;
  readonly literal?: Value;
  /** What the expression itself tells of its size. */
  readonly size: Range | undefined;
}

export interface EstimatedCall {
  /** The receiver is the first. */
  readonly args: readonly EstimatedNode[];
  /** What is known of its size from the expression or from the schema; else 0 to MAX_COST. */
  readonly sizeOf: (node: EstimatedNode) => Range;
  /** An item of a list; undefined when its type has no parameters, as a string. */
  readonly itemOf: (list: EstimatedNode) => EstimatedNode | undefined;
}

export interface CallEstimate {
  readonly cost: Range;
  /** Of the result, when it is a list, map, string or bytes. */
  readonly size?: Range;
}

/** A type that a library brings along. */
export interface TypeDeclaration {
  readonly type: Type;
  readonly doc: string;
  /** Whether its name is an identifier, as in `type(x) == net.IP`. */
  readonly isIdentifier: boolean;
  /** Of `==` on two of this type; absent: by size. */
  estimateEquality?(left: EstimatedNode, right: EstimatedNode): Range;
  /** Of `==` at run time; absent: by size. */
  readonly equalityCost?: number;
}

export interface Macro {
  readonly name: string;
  readonly member: boolean;
  /** How many arguments, without the receiver; 'any': however many. */
  readonly arity: number | 'any';
  readonly doc: string;
  readonly examples: readonly Example[];
  /** What the call stands for; undefined: it is no macro after all but a call. @throws what `fail` makes */
  expand(make: MacroMaker, target: Expr | undefined, args: readonly Expr[]): Expr | undefined;
}

/** Expressions that stand where the macro's call stands. */
export interface MacroMaker {
  /** What macros call what they accumulate. */
  readonly accumulator: string;
  /** Of what stands in a second place, so that what is wrong with it is told there, too. */
  copy(expr: Expr): Expr;
  literal(value: Value): Expr;
  ident(name: string): Expr;
  select(of: Expr, field: string): Expr;
  presence(of: Expr, field: string): Expr;
  call(name: string, ...args: readonly Expr[]): Expr;
  memberCall(target: Expr, name: string, ...args: readonly Expr[]): Expr;
  list(...items: readonly Expr[]): Expr;
  map(...entries: readonly (readonly [Expr, Expr])[]): Expr;
  comprehension(parts: Omit<Comprehension, 'kind' | 'at'>): Expr;
  fail(at: Expr, text: string): Error;
}
