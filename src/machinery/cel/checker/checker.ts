import { childrenOf, type Call, type Comprehension, type Expr, type Select, type StructExpr } from '../ast.js';
import type { Steps } from '../../steps.js';
import { candidateNames, type Environment } from '../environment.js';
import { innerFirst, type Visitor } from '../inner-first.js';
import { runtimeType } from '../runtime-types.js';
import type { Problem } from '../tokens.js';
import { BOOL, DYN, ERROR, formatType, INT, listOf, mapOf, optionalOf, type Type } from '../types.js';
import type { Checked } from './checked.js';
import { Names, qualifiedName } from './names.js';
import { OverloadResolver } from './overload-resolver.js';
import { TypeErrors } from './type-errors.js';
import { isDyn, isDynOrError, isSimple, Mapping, mostGeneral, unwrapOptional, weightOf } from './unify.js';

/** A type of more parts is refused: a few loops in each other make types that no memory holds. */
const MAX_WEIGHT = 10_000;
/** How many are looked at between two rests when all are known. */
const TYPES_AT_ONCE = 5000;

/** Types of all parts of an expression, in the way of cel-go's checker (checker/checker.go) and with its messages. */
export class Checker {
  private readonly types = new Map<Expr, Type>();
  private readonly mapping = new Mapping();
  private readonly names: Names;
  private readonly errors: TypeErrors;
  private readonly overloads: OverloadResolver;

  constructor(private readonly env: Environment) {
    this.names = new Names(env);
    this.errors = new TypeErrors(env.container);
    this.overloads = new OverloadResolver(this.mapping, this.errors);
  }

  get problems(): readonly Problem[] {
    return this.errors.problems;
  }

  /** `isLong`: the parts of it one by one, with rests. Nothing is said of it that a check of the whole would not say. */
  *run(root: Expr, isLong: boolean): Steps<Checked> {
    if (isLong) yield* innerFirst(root, this.parts());
    this.check(root);
    let left = TYPES_AT_ONCE;
    for (const [expr, type] of this.types) {
      if (!isSimple(type)) this.types.set(expr, this.mapping.resolve(type, true));
      if (left-- > 0) continue;
      left = TYPES_AT_ONCE;
      yield;
    }
    return {
      type: this.typeOf(root),
      types: this.types,
      references: this.names.references,
      callees: this.overloads.callees,
    };
  }

  private parts(): Visitor {
    return {
      isDone: expr => this.types.has(expr),
      partsOf,
      visit: expr => void this.check(expr),
      enterLoop: expr => void this.enterLoop(expr, () => undefined),
      leaveStep: () => this.names.leave(),
      leaveLoop: () => this.names.leave(),
    };
  }

  private typeOf(expr: Expr): Type {
    return this.types.get(expr) ?? ERROR;
  }

  private typesOf(exprs: readonly Expr[]): Type[] {
    return exprs.map(expr => this.typeOf(expr));
  }

  /** An expression that a macro has put into two places is checked once. */
  private check(expr: Expr): Type {
    const known = this.types.get(expr);
    if (known !== undefined) return known;
    let type = this.infer(expr);
    if (weightOf(type) > MAX_WEIGHT) type = this.errors.report(expr.at, 'type is too large');
    this.types.set(expr, type);
    return type;
  }

  private infer(expr: Expr): Type {
    switch (expr.kind) {
      case 'literal':
        return runtimeType(expr.value);
      case 'ident':
        return this.names.lookUp(expr, expr.name) ?? this.errors.undeclared(expr.at, expr.name);
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

  private select(expr: Select): Type {
    const name = qualifiedName(expr);
    const named = name === undefined ? undefined : this.names.lookUp(expr, name);
    if (named !== undefined) return named;
    const type = this.fieldType(expr.at, expr.of, expr.field, false);
    return expr.test ? BOOL : this.mapping.resolve(type, false);
  }

  private optionalSelect(expr: Call): Type {
    const [of, field] = expr.args as [Expr, Expr];
    const name = field.kind === 'literal' && typeof field.value === 'string' ? field.value : '';
    const type = this.fieldType(expr.at, of, name, true);
    this.check(field);
    this.overloads.callees.set(expr, { name: expr.name, overloads: [], isMember: false });
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
        if (!isDynOrError(target))
          this.errors.report(at, `type '${formatType(target)}' does not support field selection`);
        return DYN;
    }
  }

  private structField(at: number, name: string, field: string): Type {
    if (!this.env.provider.has(name)) return this.errors.report(at, `unexpected failed resolution of '${name}'`);
    return this.env.provider.field(name, field) ?? this.errors.report(at, `undefined field '${field}'`);
  }

  private call(expr: Call): Type {
    for (const arg of expr.args) this.check(arg);
    if (expr.target !== undefined) {
      const before = qualifiedName(expr.target);
      const inNamespace = before === undefined ? undefined : this.names.functionNamed(`${before}.${expr.name}`);
      if (inNamespace !== undefined) return this.overloads.resolve(expr, inNamespace, this.typesOf(expr.args), false);
      this.check(expr.target);
    }
    const found = this.names.functionNamed(expr.name);
    if (found === undefined) return this.errors.undeclared(expr.at, expr.name);
    const { target } = expr;
    if (target === undefined) return this.overloads.resolve(expr, found, this.typesOf(expr.args), false);
    return this.overloads.resolve(expr, found, this.typesOf([target, ...expr.args]), true);
  }

  /** Of an entry written `?x`. */
  private optionalEntry(expr: Expr, type: Type): Type {
    const [inner, isOptional] = unwrapOptional(type);
    if (!isOptional && !isDyn(inner)) this.errors.mismatch(expr, optionalOf(inner), inner);
    return inner;
  }

  private join(before: Type | undefined, type: Type): Type {
    if (before === undefined || (before === type && isSimple(type))) return type;
    return this.mapping.assign(before, type) ? mostGeneral(before, type) : DYN;
  }

  private list({ items, optional }: Extract<Expr, { kind: 'list' }>): Type {
    let joined: Type | undefined;
    items.forEach((item, i) => {
      const type = this.check(item);
      joined = this.join(joined, optional.has(i) ? this.optionalEntry(item, type) : type);
    });
    return listOf(joined ?? this.mapping.fresh());
  }

  private map({ entries }: Extract<Expr, { kind: 'map' }>): Type {
    let keys: Type | undefined;
    let values: Type | undefined;
    for (const { key, value, optional } of entries) {
      keys = this.join(keys, this.check(key));
      const type = this.check(value);
      values = this.join(values, optional ? this.optionalEntry(value, type) : type);
    }
    return mapOf(keys ?? this.mapping.fresh(), values ?? this.mapping.fresh());
  }

  private struct(expr: StructExpr): Type {
    const name = candidateNames(this.env.container, expr.name).find(
      candidate => this.env.variables.has(candidate) || this.names.typeNamed(candidate) !== undefined,
    );
    if (name === undefined) return this.errors.undeclared(expr.at, expr.name);
    const type = this.names.typeNamed(name);
    let result: Type = ERROR;
    if (type === undefined)
      this.errors.report(expr.at, `'${(this.env.variables.get(name) as Type).name}' is not a type`);
    else if (type.kind === 'struct') {
      result = type;
      this.names.references.set(expr, { kind: 'type', type });
    } else this.errors.report(expr.at, `'${type.name}' is not a message type`);
    for (const { name: field, value, optional, at } of expr.fields) {
      const given = this.check(value);
      const declared = this.structField(at, name, field);
      const found = optional ? this.optionalEntry(value, given) : given;
      if (this.mapping.assign(declared, found)) continue;
      const types = `'${formatType(declared)}' but provided type is '${formatType(found)}'`;
      this.errors.report(at, `expected type of field '${field}' is ${types}`);
    }
    return result;
  }

  private comprehension(expr: Comprehension): Type {
    const accumulated = this.enterLoop(expr, text => this.errors.report(expr.range.at, text));
    this.expectType(expr.condition, BOOL);
    this.expectType(expr.step, accumulated);
    this.names.leave();
    const result = this.check(expr.result);
    this.names.leave();
    return this.mapping.resolve(result, false);
  }

  /** Two scopes: what is accumulated, and its variables. */
  private enterLoop(expr: Comprehension, report: (text: string) => void): Type {
    this.check(expr.range);
    const accumulated = this.check(expr.init);
    const range = this.mapping.resolve(this.typeOf(expr.range), false);
    this.names.enter(new Map([[expr.accumulator, accumulated]]));
    const [first, second] = this.variableTypes(expr, range, report);
    const variables = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) variables.set(expr.variable2, second);
    this.names.enter(variables);
    return accumulated;
  }

  private expectType(expr: Expr, expected: Type): void {
    const type = this.check(expr);
    if (!this.mapping.assign(expected, type)) this.errors.mismatch(expr, expected, type);
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

/** What is checked on its own. Names with dots are looked up whole first, and so is what a function may be in. */
function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return qualifiedName(expr.of) === undefined ? [expr.of] : [];
    case 'call':
      // Its arguments are checked before what it is called on, which may be nothing but a namespace.
      return expr.target === undefined || qualifiedName(expr.target) !== undefined
        ? expr.args
        : [...expr.args, expr.target];
    default:
      return childrenOf(expr);
  }
}
