import type { Expr } from '../ast.js';
import type { Checked } from '../checker/checked.js';
import type { EstimatedNode, Range } from '../declarations.js';
import { ANY_SIZE, exactly, uniteRanges } from '../ranges.js';
import { characters } from '../standard/sizes.js';
import { ACCUMULATOR, OLD_ACCUMULATOR } from '../syntax/maker.js';
import { DYN, isOptional, type Type } from '../types.js';
import { Bytes, type Value } from '../values.js';

/** How large what comes from a variable may be, by its path: a variable, then fields, '@items', '@keys', '@values'. */
export type SizeOf = (path: readonly string[]) => Range | undefined;

/** How large items of a list, or keys and values of a map, may be. */
export interface Entries {
  readonly kind: 'list' | 'map';
  readonly key: Range;
  readonly value: Range;
}

/** A variable of a comprehension. */
export interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: Entries | undefined;
}

const ONE = exactly(1);
const NO_PATH: readonly string[] = [];

export const uniteEntries = (a: Entries | undefined, b: Entries | undefined): Entries | undefined =>
  a === undefined || b === undefined
    ? undefined
    : { kind: a.kind, key: uniteRanges(a.key, b.key), value: uniteRanges(a.value, b.value) };

/** How large the values of expressions are, and where they come from, as far as it is known while costs are counted. */
export class Sizes {
  private readonly paths = new Map<Expr, readonly string[]>();
  private readonly sizes = new Map<Expr, Range>();
  private readonly entrySizes = new Map<Expr, Entries>();
  private readonly locals = new Map<string, Local[]>();

  constructor(
    private readonly checked: Checked,
    private readonly sizeOf: SizeOf,
  ) {}

  typeOf(expr: Expr): Type {
    return this.checked.types.get(expr) ?? DYN;
  }

  setPath(expr: Expr, path: readonly string[]): void {
    this.paths.set(expr, path);
  }

  pathOf(expr: Expr): readonly string[] {
    const local = expr.kind === 'ident' ? this.local(expr.name) : undefined;
    return local?.path ?? this.paths.get(expr) ?? NO_PATH;
  }

  local(name: string): Local | undefined {
    const stack = this.locals.get(name);
    return stack?.[stack.length - 1];
  }

  push(name: string, local: Local): void {
    const stack = this.locals.get(name);
    if (stack === undefined) this.locals.set(name, [local]);
    else stack.push(local);
  }

  pop(name: string): void {
    this.locals.get(name)?.pop();
  }

  size(expr: Expr): Range | undefined {
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

  told(path: readonly string[]): Range | undefined {
    return path.length === 0 ? undefined : this.sizeOf(path);
  }

  sizeOrAny(expr: Expr): Range {
    return this.size(expr) ?? ANY_SIZE;
  }

  setSize(expr: Expr, size: Range | undefined): void {
    if (size !== undefined) this.sizes.set(expr, size);
  }

  entries(expr: Expr): Entries | undefined {
    return this.entrySizes.get(expr) ?? (expr.kind === 'ident' ? this.local(expr.name)?.entries : undefined);
  }

  setEntries(expr: Expr, entries: Entries | undefined): void {
    if (entries !== undefined) this.entrySizes.set(expr, entries);
  }

  copySizes(to: Expr, from: Expr): void {
    this.setSize(to, this.size(from));
    this.setEntries(to, this.entries(from));
  }

  node(expr: Expr): EstimatedNode {
    const path = this.pathOf(expr);
    return {
      path: path[0] === ACCUMULATOR || path[0] === OLD_ACCUMULATOR || path.length === 0 ? undefined : path,
      type: this.typeOf(expr),
      size: this.size(expr),
      ...(expr.kind === 'literal' ? { literal: expr.value } : {}),
    };
  }
}

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
