import { childrenOf, type Comprehension, type Expr } from '../ast.js';
import type { Steps } from '../../steps.js';
import { qualifiedName } from './names.js';

/** Parts of an expression that are checked between two rests. */
const CHUNK = 300;

/** What a check does with a part of an expression. */
export interface PartChecker {
  check(expr: Expr): void;
  /** Before its condition and its step: variables are declared. */
  enterLoop(expr: Comprehension): void;
  leaveLoop(): void;
}

/** Checks the parts of an expression one by one, inner ones first, with rests between them. */
export function checkInChunks(root: Expr, checker: PartChecker): Steps<void> {
  const weights = new Map<Expr, number>();
  const weightOf = (expr: Expr): number => {
    const known = weights.get(expr);
    if (known !== undefined) return known;
    const weight = childrenOf(expr).reduce((sum, child) => sum + weightOf(child), 1);
    weights.set(expr, weight);
    return weight;
  };
  function* prepare(expr: Expr): Steps<void> {
    if (weightOf(expr) <= CHUNK) {
      checker.check(expr);
      yield;
      return;
    }
    if (expr.kind === 'comprehension') {
      yield* prepare(expr.range);
      checker.enterLoop(expr);
      yield* prepare(expr.condition);
      yield* prepare(expr.step);
      checker.leaveLoop();
      return;
    }
    // Names with dots are looked up whole first.
    const parts = childrenOf(expr).filter(part => qualifiedName(part) === undefined);
    let chunk: Expr[] = [];
    let size = 0;
    for (const part of parts) {
      const weight = weightOf(part);
      if (weight > CHUNK) yield* prepare(part);
      else {
        chunk.push(part);
        size += weight;
      }
      if (size <= CHUNK) continue;
      for (const small of chunk) checker.check(small);
      yield;
      chunk = [];
      size = 0;
    }
  }
  return prepare(root);
}
