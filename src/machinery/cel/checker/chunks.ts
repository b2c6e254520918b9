import { childrenOf, type Comprehension, type Expr } from '../ast.js';
import type { Steps } from '../../steps.js';
import { qualifiedName } from './names.js';

/** How many parts are checked between two rests. */
const PARTS_AT_ONCE = 300;

/** What a check does with a part of an expression. */
export interface PartChecker {
  isChecked(expr: Expr): boolean;
  check(expr: Expr): void;
  /** Before its condition and its step: variables are declared. */
  enterLoop(expr: Comprehension): void;
  /** Before its result: only what it accumulates is left of them. */
  leaveStep(): void;
  leaveLoop(): void;
}

interface Open {
  readonly expr: Expr;
  readonly parts: readonly Expr[];
  next: number;
}

const CONDITION = 2;
const RESULT = 4;

/**
 * Checks the parts of an expression one by one, in the order in which a check of the whole meets them, with rests: inner
 * ones first, so that a check of what is around them finds them checked.
 */
export function* checkInChunks(root: Expr, checker: PartChecker): Steps<void> {
  const open: Open[] = [{ expr: root, parts: partsOf(root), next: 0 }];
  let left = PARTS_AT_ONCE;
  for (let last = open[0]; last !== undefined; last = open[open.length - 1]) {
    const { expr, parts, next } = last;
    const part = parts[next];
    if (expr.kind === 'comprehension') {
      if (next === CONDITION) checker.enterLoop(expr);
      else if (next === RESULT) checker.leaveStep();
      else if (next > RESULT) checker.leaveLoop();
    }
    last.next++;
    if (part === undefined) {
      checker.check(expr);
      open.pop();
    } else if (checker.isChecked(part)) continue;
    else if (part.kind === 'literal' || part.kind === 'ident') checker.check(part);
    else {
      open.push({ expr: part, parts: partsOf(part), next: 0 });
      continue;
    }
    if (left-- > 0) continue;
    left = PARTS_AT_ONCE;
    yield;
  }
}

/** What is checked on its own. Names with dots are looked up whole first, and so is what a function may be in. */
function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return qualifiedName(expr.of) === undefined ? [expr.of] : [];
    case 'call':
      // A function may be given its arguments before what it is called on, which may be nothing but its namespace.
      return expr.target === undefined || qualifiedName(expr.target) !== undefined
        ? expr.args
        : [...expr.args, expr.target];
    default:
      return childrenOf(expr);
  }
}
