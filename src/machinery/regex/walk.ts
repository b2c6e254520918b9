import type { Instruction } from './program.js';
import type { Assertion } from './syntax.js';

/** What is done on a walk. `T` is carried from instruction to instruction. */
export interface Walk<T> {
  /** Whether the instruction has not been on this walk yet; from then on it has. */
  enter(pc: number): boolean;
  holds(what: Assertion): boolean;
  save(slot: number, carried: T): T;
  /** An instruction that waits for a character, or the end of the expression. */
  arrive(pc: number, carried: T): void;
}

/** Goes from an instruction as far as that is possible without a character; of two ways the first one first. */
export function walk<T>(program: readonly Instruction[], from: number, given: T, steps: Walk<T>): void {
  const stack = [from];
  const carried = [given];
  for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
    const held = carried.pop() as T;
    if (!steps.enter(pc)) continue;
    const instruction = program[pc];
    switch (instruction?.op) {
      case 'jump':
        stack.push(instruction.to);
        carried.push(held);
        break;
      case 'split':
        stack.push(instruction.second, instruction.first);
        carried.push(held, held);
        break;
      case 'save':
        stack.push(pc + 1);
        carried.push(steps.save(instruction.slot, held));
        break;
      case 'assert':
        if (!steps.holds(instruction.what)) break;
        stack.push(pc + 1);
        carried.push(held);
        break;
      case 'set':
      case 'match':
        steps.arrive(pc, held);
        break;
      default:
    }
  }
}

/** The same for who only wants to know where one arrives, from any of several instructions. */
export function createArrivals(
  program: readonly Instruction[],
): (from: readonly number[], holds: (what: Assertion) => boolean) => number[] {
  /** The walk on which an instruction was entered last. */
  const entered = new Float64Array(program.length);
  let current = 0;
  let reached: number[] = [];
  const steps = {
    enter(pc: number): boolean {
      if (entered[pc] === current) return false;
      entered[pc] = current;
      return true;
    },
    holds: (_what: Assertion): boolean => false,
    save: () => undefined,
    arrive: (pc: number) => void reached.push(pc),
  };
  return (from, holds) => {
    current++;
    reached = [];
    steps.holds = holds;
    for (const pc of from) walk(program, pc, undefined, steps);
    return reached;
  };
}
