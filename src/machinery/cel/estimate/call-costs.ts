import type { Call, Expr } from '../ast.js';
import type { CallEstimate, EstimatedNode, Overload, Range } from '../declarations.js';
import type { Environment } from '../environment.js';
import { addRanges, ANY_SIZE, exactly, uniteRanges } from '../ranges.js';
import { uniteEntries, type Sizes } from './sizes.js';

const NOTHING = exactly(0);
const ONE = exactly(1);
const NO_PATH: readonly string[] = [];
const JOINED = new Set(['add_string', 'add_bytes', 'add_list']);

/** What calls cost by the overload that they may be of, and how large what they answer is. */
export class CallCosts {
  constructor(
    private readonly env: Environment,
    private readonly sizes: Sizes,
  ) {}

  /** With the arguments. */
  overload(
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
      this.sizes.setEntries(expr, uniteEntries(this.sizes.entries(yes), this.sizes.entries(no)));
      return {
        cost: addRanges(first, uniteRanges(second, third)),
        size: uniteRanges(this.sizes.sizeOrAny(yes), this.sizes.sizeOrAny(no)),
      };
    }
    if (name === '_+_' && expr.args.length === 2) {
      const [left, right] = expr.args as [Expr, Expr];
      if (JOINED.has(overload.id))
        this.sizes.setEntries(expr, uniteEntries(this.sizes.entries(left), this.sizes.entries(right)));
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
    const sizeOf = (node: EstimatedNode): Range => node.size ?? this.sizes.told(node.path ?? NO_PATH) ?? ANY_SIZE;
    return overload.estimate?.({ args, sizeOf, itemOf }) ?? { cost: ONE };
  }
}

function itemOf({ path, type }: EstimatedNode): EstimatedNode | undefined {
  const [item] = type.params;
  if (item === undefined) return undefined;
  return { path: path === undefined ? undefined : [...path, '@items'], type: item, size: undefined };
}
