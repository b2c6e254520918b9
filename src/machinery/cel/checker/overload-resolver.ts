import type { Call, Expr } from '../ast.js';
import type { Overload } from '../declarations.js';
import type { FunctionEntry } from '../environment.js';
import { BOOL, DYN, formatType, type Type } from '../types.js';
import type { Callee } from './checked.js';
import type { TypeErrors } from './type-errors.js';
import { hasParams, isDyn, isSameType, rebuild, type Mapping } from './unify.js';

/** Which overloads of a function fit the types of its arguments, and what such a call answers. */
export class OverloadResolver {
  readonly callees = new Map<Expr, Callee>();

  constructor(
    private readonly mapping: Mapping,
    private readonly errors: TypeErrors,
  ) {}

  /** `types`: of what it is called on, if it is, and of the arguments. */
  resolve(expr: Call, { name, overloads }: FunctionEntry, types: readonly Type[], isMember: boolean): Type {
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
      return this.errors.report(expr.at, `found no matching overload for '${name}' applied to '${signature}'`);
    }
    this.callees.set(expr, { name, overloads: fitting, isMember });
    return result;
  }

  private logic(expr: Call, name: string, overload: Overload, types: readonly Type[]): Type {
    let result = BOOL;
    types.forEach((type, i) => {
      if (!this.mapping.assign(type, BOOL)) result = this.errors.mismatch(expr.args[i] as Expr, BOOL, type);
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
      const made = this.mapping.fresh();
      fresh.set(type.name, made);
      return made;
    };
    return { args: overload.args.map(replace), result: replace(overload.result) };
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
