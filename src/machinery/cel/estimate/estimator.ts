import type { Call, Comprehension, Expr } from '../ast.js';
import type { Checked } from '../checker/checked.js';
import { MAX_COST, type Overload, type Range } from '../declarations.js';
import type { Environment } from '../environment.js';
import { addRanges, exactly, multiplyRanges, uniteRanges } from '../ranges.js';
import { ACCUMULATOR, OLD_ACCUMULATOR } from '../syntax/maker.js';
import { DYN } from '../types.js';
import { CallCosts } from './call-costs.js';
import { Sizes, type Local, type SizeOf } from './sizes.js';

const NOTHING = exactly(0);
const ONE = exactly(1);
const LIST_COST = exactly(10);
const MAP_COST = exactly(30);
const STRUCT_COST = exactly(40);
/** Of what there is none yet. */
const NO_SIZE: Range = { min: MAX_COST, max: 0 };

const ITEMS: ReadonlyMap<string, string> = new Map([
  ['index_list', '@items'],
  ['index_map', '@values'],
]);

const OPTIONAL_SELECT: Overload = {
  id: 'select_optional_field',
  args: [],
  result: DYN,
  bind: () => null,
};

/** A comprehension over nothing: a name for a value. */
const isBind = ({ range, condition, accumulator }: Comprehension): boolean =>
  range.kind === 'list' &&
  range.items.length === 0 &&
  condition.kind === 'literal' &&
  condition.value === false &&
  accumulator !== ACCUMULATOR &&
  accumulator !== OLD_ACCUMULATOR;

/** What an expression may cost at least and at most. Source: cel-go checker/cost.go, step by step. */
export function estimateCost(root: Expr, checked: Checked, env: Environment, sizeOf: SizeOf): Range {
  return new Estimator(checked, env, sizeOf).cost(root);
}

class Estimator {
  private readonly costs = new Map<Expr, Range>();
  private readonly sizes: Sizes;
  private readonly calls: CallCosts;

  constructor(
    private readonly checked: Checked,
    env: Environment,
    sizeOf: SizeOf,
  ) {
    this.sizes = new Sizes(checked, sizeOf);
    this.calls = new CallCosts(env, this.sizes);
  }

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
        this.sizes.setPath(expr, this.sizes.local(expr.name)?.path ?? [expr.name]);
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

  private select(expr: Extract<Expr, { kind: 'select' }>): Range {
    const reference = this.checked.references.get(expr);
    if (reference !== undefined) {
      // A name with dots is one name.
      this.sizes.setPath(expr, [reference.kind === 'type' ? reference.type.name : reference.name]);
      return ONE;
    }
    const of = this.cost(expr.of);
    if (expr.test) return of;
    this.sizes.setPath(expr, [...this.sizes.pathOf(expr.of), expr.field]);
    const { kind } = this.sizes.typeOf(expr.of);
    return kind === 'map' || kind === 'struct' ? addRanges(of, ONE) : of;
  }

  private call(expr: Call): Range {
    const callee = this.checked.callees.get(expr);
    if (callee === undefined) return NOTHING;
    if (callee.name === 'dyn' && expr.args.length === 1) {
      const [arg] = expr.args as [Expr];
      const cost = addRanges(this.cost(arg), ONE);
      this.sizes.copySizes(expr, arg);
      return cost;
    }
    const argCosts = expr.args.map(arg => this.cost(arg));
    const nodes = expr.args.map(arg => this.sizes.node(arg));
    let sum = NOTHING;
    if (callee.isMember) {
      sum = this.cost(expr.target as Expr);
      nodes.unshift(this.sizes.node(expr.target as Expr));
    }
    // The selection of an optional field has no declared type.
    const overloads = callee.overloads.length === 0 ? [OPTIONAL_SELECT] : callee.overloads;
    let cost = NO_SIZE;
    let size: Range | undefined;
    for (const overload of overloads) {
      const estimate = this.calls.overload(expr, callee.name, overload, nodes, argCosts);
      cost = uniteRanges(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : uniteRanges(size, estimate.size);
      const within = ITEMS.get(overload.id);
      if (within !== undefined) {
        const [of] = expr.args as [Expr];
        size = this.sizes.entries(of)?.value;
        this.sizes.setPath(expr, [...this.sizes.pathOf(of), within]);
      }
      size ??= this.sizes.size(expr);
    }
    this.sizes.setSize(expr, size);
    return addRanges(sum, cost);
  }

  private list(expr: Extract<Expr, { kind: 'list' }>): Range {
    let cost = LIST_COST;
    let value = expr.items.length === 0 ? NOTHING : NO_SIZE;
    for (const item of expr.items) {
      cost = addRanges(cost, this.cost(item));
      value = uniteRanges(value, this.sizes.sizeOrAny(item));
    }
    this.sizes.setEntries(expr, { kind: 'list', key: ONE, value });
    return cost;
  }

  private map(expr: Extract<Expr, { kind: 'map' }>): Range {
    let cost = MAP_COST;
    let key = expr.entries.length === 0 ? NOTHING : NO_SIZE;
    let value = key;
    for (const entry of expr.entries) {
      cost = addRanges(cost, addRanges(this.cost(entry.key), this.cost(entry.value)));
      key = uniteRanges(key, this.sizes.sizeOrAny(entry.key));
      value = uniteRanges(value, this.sizes.sizeOrAny(entry.value));
    }
    this.sizes.setEntries(expr, { kind: 'map', key, value });
    return cost;
  }

  private pushAccumulator({ accumulator, init }: Comprehension): void {
    this.sizes.push(accumulator, {
      path: this.sizes.pathOf(init),
      size: this.sizes.size(init),
      entries: this.sizes.entries(init),
    });
  }

  private bind(expr: Comprehension): Range {
    const before = addRanges(this.cost(expr.range), this.cost(expr.init));
    this.pushAccumulator(expr);
    const cost = addRanges(before, this.cost(expr.result));
    this.sizes.copySizes(expr, expr.result);
    this.sizes.pop(expr.accumulator);
    return cost;
  }

  private comprehension(expr: Comprehension): Range {
    const { range, init, variable, variable2, accumulator } = expr;
    const before = addRanges(this.cost(range), this.cost(init));
    this.pushAccumulator(expr);
    const entries = this.sizes.entries(range);
    const isList = (entries?.kind ?? this.sizes.typeOf(range).kind) === 'list';
    const path = this.sizes.pathOf(range);
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
    if (variable2 === undefined) this.sizes.push(variable, isList ? value : key);
    else {
      this.sizes.push(variable, key);
      this.sizes.push(variable2, value);
    }
    const each = addRanges(this.cost(expr.condition), this.cost(expr.step));
    this.sizes.pop(variable);
    if (variable2 !== undefined) this.sizes.pop(variable2);
    const after = this.cost(expr.result);
    this.sizes.pop(accumulator);
    const count = this.sizes.sizeOrAny(range);
    if (init.kind === 'literal') this.sizes.setSize(expr, this.sizes.size(init));
    else if (init.kind === 'list' || init.kind === 'map') {
      this.sizes.setSize(expr, count);
      this.sizes.setEntries(expr, this.sizes.entries(expr.step));
    }
    return addRanges(addRanges(before, after), multiplyRanges(count, each));
  }
}
