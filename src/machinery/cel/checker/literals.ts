import { childrenOf, type Expr } from '../ast.js';
import type { Steps } from '../../steps.js';
import type { StaticNode } from '../declarations.js';
import type { Problem } from '../tokens.js';
import { DYN, formatType, type Type } from '../types.js';
import type { Checked } from './checked.js';
import { isSameType, unwrapOptional } from './unify.js';

/** How many parts are looked at between two rests. */
const PARTS_AT_ONCE = 1000;

/**
 * What is said of literals once types are known: arguments that a function can do nothing with, and lists and maps of
 * several types. Source: cel-go cel/validator.go.
 */
export function* validateLiterals(root: Expr, checked: Checked, isHomogeneous: boolean): Steps<readonly Problem[]> {
  const problems: Problem[] = [];
  const seen = [new Set<Expr>(), new Set<Expr>()] as const;
  const typeOf = (expr: Expr): Type => checked.types.get(expr) ?? DYN;
  const node = (expr: Expr): StaticNode => ({
    type: typeOf(expr),
    ...(expr.kind === 'literal' ? { literal: expr.value } : {}),
    ...(expr.kind === 'list' ? { items: expr.items.map(node) } : {}),
  });
  const mixed = (expr: Expr, expected: Type, found: Type): void => {
    problems.push({
      at: expr.at,
      text: `expected type '${formatType(expected)}' but found '${formatType(found)}'`,
    });
  };
  // In the order in which they stand: the next one is the last.
  const waiting: Waiting[] = [{ expr: root, mayMix: !isHomogeneous }];
  let left = PARTS_AT_ONCE;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { expr, mayMix } = next;
    const visited = seen[mayMix ? 1 : 0];
    if (visited.has(expr)) continue;
    visited.add(expr);
    const callee = checked.callees.get(expr);
    const mixes = mayMix || callee?.overloads.some(overload => overload.mixesTypes === true) === true;
    if (expr.kind === 'call' && callee !== undefined) {
      const args = callee.isMember ? [expr.target as Expr, ...expr.args] : expr.args;
      for (const { validate } of callee.overloads) {
        for (const { arg, item, text } of validate?.(args.map(node)) ?? []) {
          const place = arg === undefined ? expr : (args[arg] as Expr);
          const within = place.kind === 'list' && item !== undefined ? place.items[item] : undefined;
          problems.push({ at: (within ?? place).at, text });
        }
      }
    }
    if (!mayMix) sameTypes(expr, typeOf, mixed);
    const parts = childrenOf(expr);
    for (let i = parts.length - 1; i >= 0; i--) {
      const part = parts[i] as Expr;
      if (part.kind !== 'literal' && part.kind !== 'ident') waiting.push({ expr: part, mayMix: mixes });
    }
    if (left-- > 0) continue;
    left = PARTS_AT_ONCE;
    yield;
  }
  return problems;
}

interface Waiting {
  readonly expr: Expr;
  readonly mayMix: boolean;
}

type Mixed = (expr: Expr, expected: Type, found: Type) => void;

function sameTypes(expr: Expr, typeOf: (expr: Expr) => Type, mixed: Mixed): void {
  if (expr.kind === 'list') {
    const types = expr.items.map((item, i) => (expr.optional.has(i) ? unwrapOptional(typeOf(item))[0] : typeOf(item)));
    const [first] = types;
    const other = types.findIndex(type => first !== undefined && !isSameType(first, type));
    if (other >= 0) mixed(expr.items[other] as Expr, first as Type, types[other] as Type);
  }
  if (expr.kind !== 'map') return;
  const [first] = expr.entries;
  if (first === undefined) return;
  const valueType = (entry: typeof first): Type =>
    entry.optional ? unwrapOptional(typeOf(entry.value))[0] : typeOf(entry.value);
  for (const entry of expr.entries) {
    if (!isSameType(typeOf(first.key), typeOf(entry.key))) mixed(entry.key, typeOf(first.key), typeOf(entry.key));
    if (!isSameType(valueType(first), valueType(entry))) mixed(entry.value, valueType(first), valueType(entry));
  }
}
