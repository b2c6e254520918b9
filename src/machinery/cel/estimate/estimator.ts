import type { Call, Comprehension, Expr } from '../ast.js';
import type { Checked } from '../checker/checker.js';
import { MAX_COST, type CallEstimate, type EstimatedNode, type Overload, type Range } from '../declarations.js';
import type { Environment } from '../environment.js';
import { addRanges, ANY_SIZE, exactly, multiplyRanges, uniteRanges } from '../ranges.js';
import { characters } from '../standard/sizes.js';
import { ACCUMULATOR, OLD_ACCUMULATOR } from '../syntax/maker.js';
import { DYN, isOptional, type Type } from '../types.js';
import { Bytes, type Value } from '../values.js';

/** How large what comes from a variable may be, by its path: a variable, then fields, '@items', '@keys', '@values'. */
export type SizeOf = (path: readonly string[]) => Range | undefined;

/** How large items of a list, or keys and values of a map, may be. */
interface Entries {
  readonly kind: 'list' | 'map';
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: Entries | undefined;
}

const NOTHING = exactly(0);
const ONE = exactly(1);
const NO_PATH: readonly string[] = [];
const LIST_COST = exactly(10);
const MAP_COST = exactly(30);
const STRUCT_COST = exactly(40);
/** Of what there is none yet. */
const NO_SIZE: Range = { min: MAX_COST, max: 0 };

const uniteEntries = (a: Entries | undefined, b: Entries | undefined): Entries | undefined =>
  a === undefined || b === undefined
    ? undefined
    : { kind: a.kind, key: uniteRanges(a.key, b.key), value: uniteRanges(a.value, b.value) };

/** What an expression may cost at least and at most. Source: cel-go checker/cost.go, step by step. */
export function estimateCost(root: Expr, checked: Checked, env: Environment, sizeOf: SizeOf): Range {
  return new Estimator(checked, env, sizeOf).cost(root);
}

class Estimator {
  private readonly costs = new Map<Expr, Range>();
  private readonly paths = new Map<Expr, readonly string[]>();
  private readonly sizes = new Map<Expr, Range>();
  private readonly entrySizes = new Map<Expr, Entries>();
  private readonly locals = new Map<string, Local[]>();

  constructor(
    private readonly checked: Checked,
    private readonly env: Environment,
    private readonly sizeOf: SizeOf,
  ) {}

  cost(expr: Expr): Range {
    const known = this.costs.get(expr);
    if (known !== undefined) return known;
    const cost = this.costOf(expr);
    this.costs.set(expr, cost);
    return cost;
  }

  private costOf(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return NOTHING;
      case 'ident':
        this.paths.set(expr, this.local(expr.name)?.path ?? [expr.name]);
        return ONE;
      case 'select':
        return this.select(expr);
      case 'call':
        return this.call(expr);
      case 'list':
        return this.list(expr);
      case 'map':
        return this.map(expr);
      case 'struct':
        return expr.fields.reduce((sum, { value }) => addRanges(sum, this.cost(value)), STRUCT_COST);
      case 'comprehension':
        return isBind(expr) ? this.bind(expr) : this.comprehension(expr);
    }
  }

  private local(name: string): Local | undefined {
    const stack = this.locals.get(name);
    return stack?.[stack.length - 1];
  }

  private push(name: string, local: Local): void {
    const stack = this.locals.get(name);
    if (stack === undefined) this.locals.set(name, [local]);
    else stack.push(local);
  }

  private pop(name: string): void {
    this.locals.get(name)?.pop();
  }

  private typeOf(expr: Expr): Type {
    return this.checked.types.get(expr) ?? DYN;
  }

  private pathOf(expr: Expr): readonly string[] {
    const local = expr.kind === 'ident' ? this.local(expr.name) : undefined;
    return local?.path ?? this.paths.get(expr) ?? NO_PATH;
  }

  private size(expr: Expr): Range | undefined {
    const known = this.sizes.get(expr) ?? literalSize(expr);
    if (known !== undefined) return known;
    const told = this.told(this.pathOf(expr));
    if (told !== undefined) {
      this.sizes.set(expr, told);
      return told;
    }
    if (isScalar(this.typeOf(expr))) return ONE;
    return expr.kind === 'ident' ? this.local(expr.name)?.size : undefined;
  }

  private told(path: readonly string[]): Range | undefined {
    return path.length === 0 ? undefined : this.sizeOf(path);
  }

  private sizeOrAny(expr: Expr): Range {
    return this.size(expr) ?? ANY_SIZE;
  }

  private setSize(expr: Expr, size: Range | undefined): void {
    if (size !== undefined) this.sizes.set(expr, size);
  }

  private entries(expr: Expr): Entries | undefined {
    return this.entrySizes.get(expr) ?? (expr.kind === 'ident' ? this.local(expr.name)?.entries : undefined);
  }

  private setEntries(expr: Expr, entries: Entries | undefined): void {
    if (entries !== undefined) this.entrySizes.set(expr, entries);
  }

  private select(expr: Extract<Expr, { kind: 'select' }>): Range {
    const reference = this.checked.references.get(expr);
    if (reference !== undefined) {
      // A name with dots is one name.
      this.paths.set(expr, [reference.kind === 'type' ? reference.type.name : reference.name]);
      return ONE;
    }
    const of = this.cost(expr.of);
    if (expr.test) return of;
    this.paths.set(expr, [...this.pathOf(expr.of), expr.field]);
    const { kind } = this.typeOf(expr.of);
    return kind === 'map' || kind === 'struct' ? addRanges(of, ONE) : of;
  }

  private node(expr: Expr): EstimatedNode {
    const path = this.pathOf(expr);
    return {
      path: path[0] === ACCUMULATOR || path[0] === OLD_ACCUMULATOR || path.length === 0 ? undefined : path,
      type: this.typeOf(expr),
      size: this.size(expr),
      ...(expr.kind === 'literal' ? { literal: expr.value } : {}),
    };
  }

  private call(expr: Call): Range {
    const callee = this.checked.callees.get(expr);
    if (callee === undefined) return NOTHING;
    if (callee.name === 'dyn' && expr.args.length === 1) {
      const [arg] = expr.args as [Expr];
      const cost = addRanges(this.cost(arg), ONE);
      this.copySizes(expr, arg);
      return cost;
    }
    const argCosts = expr.args.map(arg => this.cost(arg));
    const nodes = expr.args.map(arg => this.node(arg));
    let sum = NOTHING;
    if (callee.isMember) {
      sum = this.cost(expr.target as Expr);
      nodes.unshift(this.node(expr.target as Expr));
    }
    // The selection of an optional field has no declared type.
    const overloads = callee.overloads.length === 0 ? [OPTIONAL_SELECT] : callee.overloads;
    let cost = NO_SIZE;
    let size: Range | undefined;
    for (const overload of overloads) {
      const estimate = this.overload(expr, callee.name, overload, nodes, argCosts);
      cost = uniteRanges(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : uniteRanges(size, estimate.size);
      const within = ITEMS.get(overload.id);
      if (within !== undefined) {
        const [of] = expr.args as [Expr];
        size = this.entries(of)?.value;
        this.paths.set(expr, [...this.pathOf(of), within]);
      }
      size ??= this.size(expr);
    }
    this.setSize(expr, size);
    return addRanges(sum, cost);
  }

  private overload(
    expr: Call,
    name: string,
    overload: Overload,
    args: readonly EstimatedNode[],
    costs: readonly Range[],
  ): CallEstimate {
    const [first = NOTHING, second = NOTHING, third = NOTHING] = costs;
    if (name === '_&&_' || name === '_||_') return { cost: { min: first.min, max: addRanges(first, second).max } };
    if (name === '_?_:_') {
      const [, yes, no] = expr.args as [Expr, Expr, Expr];
      this.setEntries(expr, uniteEntries(this.entries(yes), this.entries(no)));
      return {
        cost: addRanges(first, uniteRanges(second, third)),
        size: uniteRanges(this.sizeOrAny(yes), this.sizeOrAny(no)),
      };
    }
    if (name === '_+_' && expr.args.length === 2) {
      const [left, right] = expr.args as [Expr, Expr];
      if (JOINED.has(overload.id)) this.setEntries(expr, uniteEntries(this.entries(left), this.entries(right)));
    }
    const own = this.own(name, overload, args);
    const cost = costs.reduce(addRanges, own.cost);
    return own.size === undefined ? { cost } : { cost, size: own.size };
  }

  /** Without the arguments. */
  private own(name: string, overload: Overload, args: readonly EstimatedNode[]): CallEstimate {
    const [left, right] = args;
    if (name === '_==_' && left !== undefined && right !== undefined && left.type.name === right.type.name) {
      const cost = this.env.type(left.type.name)?.estimateEquality?.(left, right);
      if (cost !== undefined) return { cost };
    }
    const sizeOf = (node: EstimatedNode): Range => node.size ?? this.told(node.path ?? NO_PATH) ?? ANY_SIZE;
    return overload.estimate?.({ args, sizeOf, itemOf }) ?? { cost: ONE };
  }

  private copySizes(to: Expr, from: Expr): void {
    this.setSize(to, this.size(from));
    this.setEntries(to, this.entries(from));
  }

  private list(expr: Extract<Expr, { kind: 'list' }>): Range {
    let cost = LIST_COST;
    let value = expr.items.length === 0 ? NOTHING : NO_SIZE;
    for (const item of expr.items) {
      cost = addRanges(cost, this.cost(item));
      value = uniteRanges(value, this.sizeOrAny(item));
    }
    this.setEntries(expr, { kind: 'list', key: ONE, value });
    return cost;
  }

  private map(expr: Extract<Expr, { kind: 'map' }>): Range {
    let cost = MAP_COST;
    let key = expr.entries.length === 0 ? NOTHING : NO_SIZE;
    let value = key;
    for (const entry of expr.entries) {
      cost = addRanges(cost, addRanges(this.cost(entry.key), this.cost(entry.value)));
      key = uniteRanges(key, this.sizeOrAny(entry.key));
      value = uniteRanges(value, this.sizeOrAny(entry.value));
    }
    this.setEntries(expr, { kind: 'map', key, value });
    return cost;
  }

  private pushAccumulator({ accumulator, init }: Comprehension): void {
    this.push(accumulator, { path: this.pathOf(init), size: this.size(init), entries: this.entries(init) });
  }

  private bind(expr: Comprehension): Range {
    const before = addRanges(this.cost(expr.range), this.cost(expr.init));
    this.pushAccumulator(expr);
    const cost = addRanges(before, this.cost(expr.result));
    this.copySizes(expr, expr.result);
    this.pop(expr.accumulator);
    return cost;
  }

  private comprehension(expr: Comprehension): Range {
    const { range, init, variable, variable2, accumulator } = expr;
    const before = addRanges(this.cost(range), this.cost(init));
    this.pushAccumulator(expr);
    const entries = this.entries(range);
    const isList = (entries?.kind ?? this.typeOf(range).kind) === 'list';
    const path = this.pathOf(range);
    const key: Local = {
      path: [...path, isList ? '@indices' : '@keys'],
      size: entries?.key,
      entries: undefined,
    };
    const value: Local = {
      path: [...path, isList ? '@items' : '@values'],
      size: entries?.value,
      entries: undefined,
    };
    if (variable2 === undefined) this.push(variable, isList ? value : key);
    else {
      this.push(variable, key);
      this.push(variable2, value);
    }
    const each = addRanges(this.cost(expr.condition), this.cost(expr.step));
    this.pop(variable);
    if (variable2 !== undefined) this.pop(variable2);
    const after = this.cost(expr.result);
    this.pop(accumulator);
    const count = this.sizeOrAny(range);
    if (init.kind === 'literal') this.setSize(expr, this.size(init));
    else if (init.kind === 'list' || init.kind === 'map') {
      this.setSize(expr, count);
      this.setEntries(expr, this.entries(expr.step));
    }
    return addRanges(addRanges(before, after), multiplyRanges(count, each));
  }
}

const ITEMS: ReadonlyMap<string, string> = new Map([
  ['index_list', '@items'],
  ['index_map', '@values'],
]);
const JOINED = new Set(['add_string', 'add_bytes', 'add_list']);

const OPTIONAL_SELECT: Overload = {
  id: 'select_optional_field',
  args: [],
  result: DYN,
  bind: () => null,
};

function itemOf({ path, type }: EstimatedNode): EstimatedNode | undefined {
  const [item] = type.params;
  if (item === undefined) return undefined;
  return { path: path === undefined ? undefined : [...path, '@items'], type: item, size: undefined };
}

/** A comprehension over nothing: a name for a value. */
const isBind = ({ range, condition, accumulator }: Comprehension): boolean =>
  range.kind === 'list' &&
  range.items.length === 0 &&
  condition.kind === 'literal' &&
  condition.value === false &&
  accumulator !== ACCUMULATOR &&
  accumulator !== OLD_ACCUMULATOR;

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === 'literal') return exactly(sizeOfLiteral(expr.value));
  if (expr.kind === 'list') return exactly(expr.items.length);
  return expr.kind === 'map' ? exactly(expr.entries.length) : undefined;
}

const sizeOfLiteral = (value: Value): number => {
  if (typeof value === 'string') return characters(value);
  return value instanceof Bytes ? value.value.length : 1;
};

const SCALARS: ReadonlySet<Type['kind']> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);
const isScalar = (type: Type): boolean =>
  isOptional(type) ? isScalar(type.params[0] as Type) : SCALARS.has(type.kind);
