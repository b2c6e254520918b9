import type { Steps } from '../../steps.js';
import { childrenOf, type Call, type Comprehension, type Expr } from '../ast.js';
import type { Callee, Checked } from '../checker/checked.js';
import type { Environment } from '../environment.js';
import { innerFirst } from '../inner-first.js';
import { CONVERSION_NAMES } from '../standard/conversions.js';
import { DYN, type Type } from '../types.js';
import { CelError, isError, TypeValue, type Value } from '../values.js';
import { InstantiationError, planFunction, type Targets } from './calls.js';
import { planEquality, planIn } from './compare.js';
import { constant, WORK, type Frame, type Plan } from './frame.js';
import { planList, planMap, planStruct } from './literals.js';
import { planConditional, planLogic, planNotStrictlyFalse, planOr } from './logic.js';
import {
  KEEP,
  planAccumulator,
  planAppend,
  planInsert,
  planLoop,
  planStep,
  planStepIf,
  type Loop,
  type Step,
} from './loops.js';
import { attributeOf, planOf, select, type Selector } from './select.js';

/** A variable of a loop: how it is read. */
type Scope = ReadonlyMap<string, () => Plan>;

interface Accumulator {
  readonly name: string;
  readonly slot: number;
  readonly depth: number;
}

/** Where a loop keeps what it accumulates, and its variables. */
type LoopSlots = Pick<Loop, 'accumulator' | 'variable' | 'variable2'>;

/** Makes what runs of an expression that was checked. */
export class Planner {
  slots = 0;
  private readonly scopes: Scope[] = [];
  /** An expression in two places is planned once. */
  private readonly plans = new Map<Expr, Plan>();
  private readonly weights = new Map<Expr, number>();
  private readonly loops = new Map<Comprehension, LoopSlots>();
  private readonly targets: Targets = [new Map(), new Map()];

  constructor(
    private readonly env: Environment,
    private readonly checked: Checked,
  ) {}

  plan(expr: Expr): Plan {
    const known = this.plans.get(expr);
    if (known !== undefined) return known;
    const plan = this.make(expr);
    this.plans.set(expr, plan);
    return plan;
  }

  /** `isLong`: the parts of it one by one, with rests. */
  *steps(root: Expr, isLong: boolean): Steps<Plan> {
    if (isLong)
      yield* innerFirst(root, {
        isDone: expr => this.plans.has(expr),
        partsOf: expr => this.partsOf(expr),
        visit: expr => {
          this.plan(expr);
          // What is in a loop is weighed when the loop is planned.
          if (this.scopes.length > 0) this.weightOf(expr);
        },
        enterLoop: expr => void this.enterLoop(expr),
        leaveStep: () => void this.scopes.pop(),
        leaveLoop: () => void this.scopes.pop(),
      });
    return this.plan(root);
  }

  /** In the order in which they are planned: a literal that is no argument is told of the first such call. */
  private partsOf(expr: Expr): readonly Expr[] {
    // Names with dots are looked up whole.
    if (this.checked.references.has(expr) && expr.kind === 'select') return [];
    return expr.kind === 'call' ? this.argumentsOf(expr) : childrenOf(expr);
  }

  private argumentsOf(expr: Call): readonly Expr[] {
    return this.checked.callees.get(expr)?.isMember === true ? [expr.target as Expr, ...expr.args] : expr.args;
  }

  private make(expr: Expr): Plan {
    switch (expr.kind) {
      case 'literal':
        return constant(expr.value);
      case 'ident':
        return this.name(expr) as Plan;
      case 'select':
        return (
          this.name(expr) ??
          select(this.plan(expr.of), { by: undefined, key: expr.field, how: expr.test ? 'test' : 'value' })
        );
      case 'call':
        return this.call(expr);
      case 'list':
        return planList(
          expr.items.map(item => this.plan(item)),
          expr.optional,
        );
      case 'map':
        return planMap(
          expr.entries.flatMap(({ key, value }) => [this.plan(key), this.plan(value)]),
          expr.entries.map(({ optional }) => optional),
        );
      case 'struct': {
        const fields = expr.fields.map(({ name, optional, value }) => ({ name, optional, value: this.plan(value) }));
        const reference = this.checked.references.get(expr);
        return planStruct(this.env, reference?.kind === 'type' ? reference.type.name : expr.name, fields);
      }
      case 'comprehension':
        return this.loop(expr);
    }
  }

  private name(expr: Expr): Plan | undefined {
    const reference = this.checked.references.get(expr);
    if (reference === undefined) return undefined;
    if (reference.kind === 'type') return constant(new TypeValue(reference.type));
    const { name } = reference;
    if (reference.kind === 'local') {
      for (let i = this.scopes.length - 1; i >= 0; i--) {
        const plan = this.scopes[i]?.get(name);
        if (plan !== undefined) return plan();
      }
    }
    const missing = new CelError(`no such attribute(s): ${name}`);
    return planOf({
      own: 1,
      steps: undefined,
      resolve: frame => {
        const value = frame.activation[name];
        return value === undefined ? missing : value;
      },
    });
  }

  private typeOf(expr: Expr): Type {
    return this.checked.types.get(expr) ?? DYN;
  }

  private call(expr: Call): Plan {
    const callee = this.checked.callees.get(expr) as Callee;
    const exprs = this.argumentsOf(expr);
    const args = exprs.map(arg => this.plan(arg));
    const [first, second] = args as [Plan, Plan];
    switch (callee.name) {
      case '_&&_':
      case '_||_':
        return planLogic(callee.name === '_||_', [first, second]);
      case '_?_:_':
        return planConditional(args as [Plan, Plan, Plan]);
      case '_==_':
      case '_!=_':
        return planEquality(
          this.env,
          callee.name,
          [first, second],
          exprs.map(arg => this.typeOf(arg)),
        );
      case '_[_]':
      case '_[?_]':
      case '_?._':
        return select(first, this.selector(second, callee.name !== '_[_]'));
      case '@in':
        return planIn(
          [first, second],
          callee.overloads.map(({ id }) => id),
        );
      case '@not_strictly_false':
        return planNotStrictlyFalse(first);
      case 'or':
      case 'orValue':
        if (callee.overloads.every(({ id }) => id.startsWith('optional_or')))
          return planOr(callee.name === 'orValue', [first, second]);
        break;
      default:
    }
    return this.function(callee, args);
  }

  private selector(by: Plan, isOptional: boolean): Selector {
    const how = isOptional ? 'optional' : 'value';
    if (by.constant !== undefined) return { by: undefined, key: by.constant, how };
    return { by: attributeOf(by), key: null, how };
  }

  private function({ name, overloads }: Callee, args: readonly Plan[]): Plan {
    const plan = planFunction(this.targets, name, overloads, args);
    if (!CONVERSION_NAMES.has(name) || args.length !== 1 || args[0]?.constant === undefined) return plan;
    const value = plan.run(EMPTY());
    if (isError(value)) throw new InstantiationError(value.message);
    return constant(value);
  }

  private loop(expr: Comprehension): Plan {
    const range = this.plan(expr.range);
    this.plan(expr.init);
    const depth = this.scopes.length;
    const slots = this.enterLoop(expr);
    const condition = this.plan(expr.condition);
    const to = { name: expr.accumulator, slot: slots.accumulator, depth };
    const step = this.step(expr.step, builderOf(expr.init), to);
    this.scopes.pop();
    const result = this.plan(expr.result);
    this.scopes.pop();
    const weight = this.weightOf(expr.condition) + this.weightOf(expr.step);
    return planLoop({ range, condition, step, result, ...slots, weight });
  }

  /** Two scopes: what it accumulates, and its variables. Whenever it is entered, they are in the same places. */
  private enterLoop(expr: Comprehension): LoopSlots {
    const slots = this.slotsOf(expr);
    const { accumulator, variable, variable2 } = slots;
    const init = this.plan(expr.init);
    const builder = builderOf(expr.init);
    const accumulated: Scope = new Map([[expr.accumulator, () => planAccumulator(accumulator, init, builder)]]);
    const variables = new Map([[expr.variable, () => readSlot(variable)]]);
    if (expr.variable2 !== undefined && variable2 !== undefined)
      variables.set(expr.variable2, () => readSlot(variable2));
    this.scopes.push(accumulated, variables);
    return slots;
  }

  private slotsOf(expr: Comprehension): LoopSlots {
    const known = this.loops.get(expr);
    if (known !== undefined) return known;
    const accumulator = this.slots++;
    const variable = this.slots++;
    const slots = { accumulator, variable, variable2: expr.variable2 === undefined ? undefined : this.slots++ };
    this.loops.set(expr, slots);
    return slots;
  }

  /** A step that adds to what is accumulated does it in place. */
  private step(expr: Expr, builder: 'list' | 'map' | undefined, to: Accumulator): Step {
    if (expr.kind !== 'call' || builder === undefined) return planStep(this.plan(expr));
    const { name, args } = expr;
    if (name === '_?_:_') {
      const [condition, then, otherwise] = args as [Expr, Expr, Expr];
      if (!this.isAccumulator(otherwise, to)) return planStep(this.plan(expr));
      return planStepIf(this.plan(condition), this.step(then, builder, to), KEEP);
    }
    const [first, second, third] = args as [Expr, Expr, Expr?];
    if (!this.isAccumulator(first, to)) return planStep(this.plan(expr));
    if (name === '_+_' && builder === 'list' && second.kind === 'list' && second.items.length === 1)
      if (second.optional.size === 0) return planAppend(to.slot, this.plan(second.items[0] as Expr));
    if (name === 'cel.@mapInsert' && builder === 'map')
      return planInsert(
        to.slot,
        (third === undefined ? [second] : [second, third]).map(arg => this.plan(arg)),
      );
    return planStep(this.plan(expr));
  }

  private isAccumulator(expr: Expr, { name, depth }: Accumulator): boolean {
    if (expr.kind !== 'ident' || expr.name !== name) return false;
    // Not one of the loop's own variables, which may have any name.
    return this.scopes[depth + 1]?.has(name) !== true;
  }

  /** How many parts an expression has, whatever it is in. */
  private weightOf(expr: Expr): number {
    if (expr.kind === 'literal' || expr.kind === 'ident') return 1;
    const known = this.weights.get(expr);
    if (known !== undefined) return known;
    const weight = Math.min(
      WORK,
      childrenOf(expr).reduce((sum, child) => sum + this.weightOf(child), 1),
    );
    this.weights.set(expr, weight);
    return weight;
  }
}

const readSlot = (slot: number): Plan =>
  planOf({ own: 1, steps: undefined, resolve: frame => frame.slots[slot] as Value });

const EMPTY = (): Frame => ({
  activation: {},
  slots: [],
  limit: Infinity,
  cost: 0,
  work: WORK,
  rests: 0,
  isStepping: false,
});

function builderOf(init: Expr): 'list' | 'map' | undefined {
  if (init.kind === 'list' && init.items.length === 0) return 'list';
  return init.kind === 'map' && init.entries.length === 0 ? 'map' : undefined;
}
