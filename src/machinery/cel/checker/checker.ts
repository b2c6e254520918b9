import {
  childrenOf,
  type Call,
  type Comprehension,
  type Expr,
  type Ident,
  type Select,
  type StructExpr,
} from '../ast.js';
import type { Steps } from '../../steps.js';
import type { Overload } from '../declarations.js';
import { candidateNames, type Environment, type FunctionEntry } from '../environment.js';
import { runtimeType } from '../runtime-types.js';
import type { Problem } from '../tokens.js';
import {
  BOOL,
  DYN,
  ERROR,
  formatType,
  INT,
  listOf,
  mapOf,
  optionalOf,
  param,
  struct,
  typeOf,
  type Type,
} from '../types.js';
import {
  hasParams,
  isDyn,
  isDynOrError,
  isSameType,
  Mapping,
  mostGeneral,
  rebuild,
  unwrapOptional,
  weightOf,
} from './unify.js';

/** What a name in an expression stands for. */
export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  /** Of a comprehension around it. */
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'type'; readonly type: Type };

/** What a call calls: all overloads that fit; one, where the types of the arguments are known. */
export interface Callee {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** Of a function in a namespace, what is before the dot is no argument. */
  readonly isMember: boolean;
}

export interface Checked {
  readonly type: Type;
  readonly types: ReadonlyMap<Expr, Type>;
  readonly references: ReadonlyMap<Expr, Reference>;
  readonly callees: ReadonlyMap<Expr, Callee>;
}

/** A type of more parts is refused: a few loops in each other make types that no memory holds. */
const MAX_WEIGHT = 10_000;

/** Parts of an expression that are checked between two rests. */
const CHUNK = 300;

type Scope = ReadonlyMap<string, Type>;

/** "a.b.c" when an expression is nothing but names. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.test) return undefined;
  const before = qualifiedName(expr.of);
  return before === undefined ? undefined : `${before}.${expr.field}`;
}

/** Types of all parts of an expression, in the way of cel-go's checker (checker/checker.go) and with its messages. */
export class Checker {
  readonly types = new Map<Expr, Type>();
  readonly references = new Map<Expr, Reference>();
  readonly callees = new Map<Expr, Callee>();
  readonly problems: Problem[] = [];
  private readonly mapping = new Mapping();
  private readonly weights = new Map<Expr, number>();
  private freeTypes = 0;
  /** What comprehensions declare, inner ones last. */
  private readonly scopes: Scope[] = [];

  constructor(private readonly env: Environment) {}

  run(root: Expr): Checked {
    this.check(root);
    for (const [expr, type] of this.types) this.types.set(expr, this.mapping.resolve(type, true));
    return { type: this.typeOf(root), types: this.types, references: this.references, callees: this.callees };
  }

  private typeOf(expr: Expr): Type {
    return this.types.get(expr) ?? ERROR;
  }

  private report(at: number, text: string): Type {
    this.problems.push({ at, text });
    return ERROR;
  }

  private mismatch(expr: Expr, expected: Type, found: Type): Type {
    return this.report(expr.at, `expected type '${formatType(expected)}' but found '${formatType(found)}'`);
  }

  private undeclared(at: number, name: string): Type {
    return this.report(at, `undeclared reference to '${name}' (in container '${this.env.container}')`);
  }

  private newParam(): Type {
    return param(`_var${this.freeTypes++}`);
  }

  /** An expression that a macro has put into two places is checked once. */
  private check(expr: Expr): Type {
    const known = this.types.get(expr);
    if (known !== undefined) return known;
    let type = this.infer(expr);
    if (weightOf(type) > MAX_WEIGHT) type = this.report(expr.at, 'type is too large');
    this.types.set(expr, type);
    return type;
  }

  private infer(expr: Expr): Type {
    switch (expr.kind) {
      case 'literal':
        return runtimeType(expr.value);
      case 'ident':
        return this.lookUp(expr, expr.name) ?? this.undeclared(expr.at, expr.name);
      case 'select':
        return this.select(expr);
      case 'call':
        return expr.name === '_?._' && expr.target === undefined ? this.optionalSelect(expr) : this.call(expr);
      case 'list':
        return this.list(expr);
      case 'map':
        return this.map(expr);
      case 'struct':
        return this.struct(expr);
      case 'comprehension':
        return this.comprehension(expr);
    }
  }

  /** The type of a name. */
  private lookUp(expr: Ident | Select, name: string): Type | undefined {
    if (!name.startsWith('.')) {
      for (let i = this.scopes.length - 1; i >= 0; i--) {
        const type = this.scopes[i]?.get(name);
        if (type === undefined) continue;
        this.references.set(expr, { kind: 'local', name });
        return type;
      }
    }
    for (const candidate of candidateNames(this.env.container, name)) {
      const variable = this.env.variables.get(candidate);
      if (variable !== undefined) {
        this.references.set(expr, { kind: 'variable', name: candidate });
        return variable;
      }
      const type = this.typeNamed(candidate);
      if (type === undefined) continue;
      this.references.set(expr, { kind: 'type', type });
      return typeOf(type);
    }
    return undefined;
  }

  private typeNamed(name: string): Type | undefined {
    return this.env.provider.has(name) ? struct(name) : this.env.provider.identifier?.(name);
  }

  private select(expr: Select): Type {
    const name = qualifiedName(expr);
    const named = name === undefined ? undefined : this.lookUp(expr, name);
    if (named !== undefined) return named;
    const type = this.fieldType(expr.at, expr.of, expr.field, false);
    return expr.test ? BOOL : this.mapping.resolve(type, false);
  }

  private optionalSelect(expr: Call): Type {
    const [of, field] = expr.args as [Expr, Expr];
    const name = field.kind === 'literal' && typeof field.value === 'string' ? field.value : '';
    const type = this.fieldType(expr.at, of, name, true);
    this.check(field);
    this.callees.set(expr, { name: expr.name, overloads: [], isMember: false });
    return this.mapping.resolve(type, false);
  }

  private fieldType(at: number, of: Expr, field: string, isOptional: boolean): Type {
    const [target, wasOptional] = unwrapOptional(this.mapping.resolve(this.check(of), false));
    const type = this.fieldOf(at, target, field);
    return wasOptional || isOptional ? optionalOf(type) : type;
  }

  private fieldOf(at: number, target: Type, field: string): Type {
    switch (target.kind) {
      case 'map':
        return target.params[1] as Type;
      case 'struct':
        return this.structField(at, target.name, field);
      case 'param':
        this.mapping.assign(DYN, target);
        return DYN;
      default:
        if (!isDynOrError(target)) this.report(at, `type '${formatType(target)}' does not support field selection`);
        return DYN;
    }
  }

  private structField(at: number, name: string, field: string): Type {
    if (!this.env.provider.has(name)) return this.report(at, `unexpected failed resolution of '${name}'`);
    return this.env.provider.field(name, field) ?? this.report(at, `undefined field '${field}'`);
  }

  private functionNamed(name: string): FunctionEntry | undefined {
    for (const candidate of candidateNames(this.env.container, name)) {
      const found = this.env.function(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private call(expr: Call): Type {
    for (const arg of expr.args) this.check(arg);
    if (expr.target !== undefined) {
      const before = qualifiedName(expr.target);
      const inNamespace = before === undefined ? undefined : this.functionNamed(`${before}.${expr.name}`);
      if (inNamespace !== undefined) return this.resolveCall(expr, inNamespace, expr.args, false);
      this.check(expr.target);
    }
    const found = this.functionNamed(expr.name);
    if (found === undefined) return this.undeclared(expr.at, expr.name);
    const { target } = expr;
    return this.resolveCall(
      expr,
      found,
      target === undefined ? expr.args : [target, ...expr.args],
      target !== undefined,
    );
  }

  private resolveCall(expr: Call, { name, overloads }: FunctionEntry, args: readonly Expr[], isMember: boolean): Type {
    const types = args.map(arg => this.typeOf(arg));
    const isLogic = name === '_&&_' || name === '_||_';
    const fitting: Overload[] = [];
    let result: Type | undefined;
    for (const overload of overloads) {
      if ((overload.member === true) !== isMember) continue;
      if (isLogic) return this.logic(expr, name, overload, types);
      if (!mayFit(overload.args, types)) continue;
      const instance = this.instantiate(overload);
      if (!this.mapping.assignAll(types, instance.args)) continue;
      fitting.push(overload);
      const type = this.mapping.resolve(instance.result, false);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !isSameType(type, result)) result = DYN;
    }
    if (result === undefined) {
      const shown = types.map(type => formatType(this.mapping.resolve(type, true)));
      const signature = isMember ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`;
      return this.report(expr.at, `found no matching overload for '${name}' applied to '${signature}'`);
    }
    this.callees.set(expr, { name, overloads: fitting, isMember });
    return result;
  }

  private logic(expr: Call, name: string, overload: Overload, types: readonly Type[]): Type {
    let result = BOOL;
    types.forEach((type, i) => {
      if (!this.mapping.assign(type, BOOL)) result = this.mismatch(expr.args[i] as Expr, BOOL, type);
    });
    this.callees.set(expr, { name, overloads: [overload], isMember: false });
    return result;
  }

  /** With parameters of its own for those that it is declared with. */
  private instantiate(overload: Overload): { readonly args: readonly Type[]; readonly result: Type } {
    if (!hasParams(overload.result) && !overload.args.some(hasParams)) return overload;
    const fresh = new Map<string, Type>();
    const replace = (type: Type): Type => {
      if (type.kind !== 'param') return type.params.length === 0 ? type : rebuild(type, replace);
      const known = fresh.get(type.name);
      if (known !== undefined) return known;
      const made = this.newParam();
      fresh.set(type.name, made);
      return made;
    };
    return { args: overload.args.map(replace), result: replace(overload.result) };
  }

  /** Of an entry written `?x`. */
  private optionalEntry(expr: Expr, type: Type): Type {
    const [inner, isOptional] = unwrapOptional(type);
    if (!isOptional && !isDyn(inner)) this.mismatch(expr, optionalOf(inner), inner);
    return inner;
  }

  private join(before: Type | undefined, type: Type): Type {
    if (before === undefined) return type;
    return this.mapping.assign(before, type) ? mostGeneral(before, type) : DYN;
  }

  private list({ items, optional }: Extract<Expr, { kind: 'list' }>): Type {
    let joined: Type | undefined;
    items.forEach((item, i) => {
      const type = this.check(item);
      joined = this.join(joined, optional.has(i) ? this.optionalEntry(item, type) : type);
    });
    return listOf(joined ?? this.newParam());
  }

  private map({ entries }: Extract<Expr, { kind: 'map' }>): Type {
    let keys: Type | undefined;
    let values: Type | undefined;
    for (const { key, value, optional } of entries) {
      keys = this.join(keys, this.check(key));
      const type = this.check(value);
      values = this.join(values, optional ? this.optionalEntry(value, type) : type);
    }
    return mapOf(keys ?? this.newParam(), values ?? this.newParam());
  }

  private struct(expr: StructExpr): Type {
    const name = candidateNames(this.env.container, expr.name).find(
      candidate => this.env.variables.has(candidate) || this.typeNamed(candidate) !== undefined,
    );
    if (name === undefined) return this.undeclared(expr.at, expr.name);
    const type = this.typeNamed(name);
    let result: Type = ERROR;
    if (type === undefined) this.report(expr.at, `'${(this.env.variables.get(name) as Type).name}' is not a type`);
    else if (type.kind === 'struct') {
      result = type;
      this.references.set(expr, { kind: 'type', type });
    } else this.report(expr.at, `'${type.name}' is not a message type`);
    for (const { name: field, value, optional, at } of expr.fields) {
      const given = this.check(value);
      const declared = this.structField(at, name, field);
      const found = optional ? this.optionalEntry(value, given) : given;
      if (this.mapping.assign(declared, found)) continue;
      const types = `'${formatType(declared)}' but provided type is '${formatType(found)}'`;
      this.report(at, `expected type of field '${field}' is ${types}`);
    }
    return result;
  }

  private comprehension(expr: Comprehension): Type {
    const accumulated = this.enterLoop(expr, text => this.report(expr.range.at, text));
    this.expectType(expr.condition, BOOL);
    this.expectType(expr.step, accumulated);
    this.scopes.pop();
    const result = this.check(expr.result);
    this.scopes.pop();
    return this.mapping.resolve(result, false);
  }

  /** Two scopes: what is accumulated, and its variables. */
  private enterLoop(expr: Comprehension, report: (text: string) => void): Type {
    this.check(expr.range);
    const accumulated = this.check(expr.init);
    const range = this.mapping.resolve(this.typeOf(expr.range), false);
    this.scopes.push(new Map([[expr.accumulator, accumulated]]));
    const [first, second] = this.variableTypes(expr, range, report);
    const variables = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) variables.set(expr.variable2, second);
    this.scopes.push(variables);
    return accumulated;
  }

  /** Checks the parts of a large expression one by one. Nothing is said of it that the whole check would not say. */
  *prepare(expr: Expr): Steps<void> {
    if (this.weightOf(expr) <= CHUNK) {
      this.check(expr);
      yield;
      return;
    }
    if (expr.kind === 'comprehension') {
      yield* this.prepare(expr.range);
      this.enterLoop(expr, () => undefined);
      yield* this.prepare(expr.condition);
      yield* this.prepare(expr.step);
      this.scopes.pop();
      this.scopes.pop();
      return;
    }
    // Names with dots are looked up whole first.
    const parts = childrenOf(expr).filter(part => qualifiedName(part) === undefined);
    let chunk: Expr[] = [];
    let size = 0;
    for (const part of parts) {
      const weight = this.weightOf(part);
      if (weight > CHUNK) yield* this.prepare(part);
      else {
        chunk.push(part);
        size += weight;
      }
      if (size <= CHUNK) continue;
      for (const small of chunk) this.check(small);
      yield;
      chunk = [];
      size = 0;
    }
  }

  private weightOf(expr: Expr): number {
    const known = this.weights.get(expr);
    if (known !== undefined) return known;
    const weight = childrenOf(expr).reduce((sum, child) => sum + this.weightOf(child), 1);
    this.weights.set(expr, weight);
    return weight;
  }

  private expectType(expr: Expr, expected: Type): void {
    const type = this.check(expr);
    if (!this.mapping.assign(expected, type)) this.mismatch(expr, expected, type);
  }

  private variableTypes(expr: Comprehension, range: Type, report: (text: string) => void): readonly [Type, Type] {
    const hasTwo = expr.variable2 !== undefined;
    const [first = DYN, second = DYN] = range.params;
    switch (range.kind) {
      case 'list':
        return hasTwo ? [INT, first] : [first, DYN];
      case 'map':
        return [first, second];
      case 'dyn':
      case 'error':
      case 'param':
        this.mapping.assign(DYN, range);
        return [DYN, DYN];
      default: {
        const text = `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        report(text);
        return [ERROR, ERROR];
      }
    }
  }
}

const SCALARS: ReadonlySet<Type['kind']> = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes']);

/** Whether it is worth looking closely: most overloads are of other scalars. */
function mayFit(declared: readonly Type[], given: readonly Type[]): boolean {
  if (declared.length !== given.length) return false;
  for (let i = 0; i < declared.length; i++) {
    const { kind: a } = declared[i] as Type;
    const { kind: b } = given[i] as Type;
    if (a !== b && SCALARS.has(a) && SCALARS.has(b)) return false;
  }
  return true;
}
