import type { Steps } from '../steps.js';
import type { Comprehension, Expr } from './ast.js';

/** How many parts are visited between two rests. */
export const PARTS_AT_ONCE = 300;

/** Parts of a comprehension before which its variables are declared, and before which only what it accumulates is left. */
const CONDITION = 2;
const RESULT = 4;

/** What a pass over an expression does with a part of it. */
export interface Visitor {
  /** Of what has been visited, or need not be. */
  isDone(expr: Expr): boolean;
  /** In the order in which the pass itself goes on. Of a comprehension, all: as `childrenOf`. */
  partsOf(expr: Expr): readonly Expr[];
  /** Its parts are done. */
  visit(expr: Expr): void;
  enterLoop(expr: Comprehension): void;
  leaveStep(): void;
  leaveLoop(): void;
}

interface Open {
  readonly expr: Expr;
  readonly parts: readonly Expr[];
  next: number;
}

/**
 * Visits an expression and all that is in it, inner ones first, and rests now and then. A pass that remembers what it
 * found out of parts finds it known when it comes to what is around them: each visit is a small piece of work, and all of
 * them together are the pass.
 */
export function* innerFirst(root: Expr, visitor: Visitor): Steps<void> {
  const open: Open[] = [{ expr: root, parts: visitor.partsOf(root), next: 0 }];
  let left = PARTS_AT_ONCE;
  for (let last = open[0]; last !== undefined; last = open[open.length - 1]) {
    if (left-- === 0) {
      yield;
      left = PARTS_AT_ONCE;
    }
    const { expr, parts, next } = last;
    if (expr.kind === 'comprehension') enterOrLeave(expr, next, visitor);
    const part = parts[next];
    last.next++;
    if (part === undefined) {
      visitor.visit(expr);
      open.pop();
    } else if (!visitor.isDone(part)) open.push({ expr: part, parts: visitor.partsOf(part), next: 0 });
  }
}

function enterOrLeave(expr: Comprehension, next: number, visitor: Visitor): void {
  if (next === CONDITION) visitor.enterLoop(expr);
  else if (next === RESULT) visitor.leaveStep();
  else if (next > RESULT) visitor.leaveLoop();
}
