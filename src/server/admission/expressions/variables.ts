import type { Activation, Outcome } from '../../../machinery/cel/compile.js';
import { CelError, isError, type StructValue, type Value } from '../../../machinery/cel/values.js';
import type { Steps } from '../../../machinery/steps.js';
import { isCompileError, type CompiledExpression } from '../../../machinery/cel/admission/compile.js';
import { VARIABLES } from '../../../machinery/cel/admission/structs.js';

/** One expression may cost as much. Source: k8s.io/apiserver pkg/apis/cel/config.go. */
export const PER_CALL = 1_000_000;

/** Thrown through whatever asked for a variable that takes long: it is asked again when the variable has its value. */
class NotYet extends Error {
  constructor(readonly variable: string) {
    super(`${variable} is being evaluated`);
  }
}

/**
 * A policy's own variables: each is evaluated when it is first named, once. What is named cannot rest; so a variable that
 * takes long ends the expression that named it, is evaluated with rests, and then the expression is run again.
 */
export class Variables implements StructValue {
  readonly kind = 'struct';
  readonly type = VARIABLES;
  /** Of what was evaluated since somebody looked. */
  private cost = 0;
  private readonly known = new Map<string, Value>();
  private readonly running = new Map<string, Steps<Outcome>>();
  private readonly activation: Activation;

  constructor(
    private readonly expressions: ReadonlyMap<string, CompiledExpression>,
    activation: Activation,
  ) {
    this.activation = { ...activation, variables: this };
  }

  takeCost(): number {
    const { cost } = this;
    this.cost = 0;
    return cost;
  }

  field(name: string): Value | undefined {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const compiled = this.expressions.get(name);
    if (compiled === undefined) return undefined;
    if (isCompileError(compiled))
      return this.keep(name, new CelError(`composited variable "${name}" fails to compile: ${compiled.error}`));
    const steps = compiled.program.steps(this.activation, PER_CALL);
    const first = steps.next();
    if (first.done === true) return this.finish(name, first.value);
    this.running.set(name, steps);
    throw new NotYet(name);
  }

  /** Runs an expression that may name them. */
  *run(program: { steps(activation: Activation, budget: number): Steps<Outcome> }): Steps<Outcome> {
    for (;;) {
      try {
        return yield* program.steps(this.activation, PER_CALL);
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        yield* this.complete(error.variable);
      }
    }
  }

  private *complete(name: string): Steps<void> {
    const steps = this.running.get(name);
    this.running.delete(name);
    if (steps === undefined) return;
    try {
      this.finish(name, yield* steps);
    } catch (error) {
      // It named another one that takes long, and begins anew.
      if (!(error instanceof NotYet)) throw error;
      yield* this.complete(error.variable);
    }
  }

  private finish(name: string, { value, cost }: Outcome): Value {
    this.cost += cost;
    if (!isError(value)) return this.keep(name, value);
    return this.keep(name, new CelError(`composited variable "${name}" fails to evaluate: ${value.message}`));
  }

  private keep(name: string, value: Value): Value {
    this.known.set(name, value);
    return value;
  }
}
