import { DYN, isOptional, listOf, mapOf, opaque, param, typeOf, type Type } from '../types.js';

/** Source: cel-go checker/types.go, which unifies types the same way and in the same order. */

const isFree = (type: Type): boolean => type.kind === 'param';
export const isDyn = (type: Type): boolean => type.kind === 'dyn';
export const isDynOrError = (type: Type): boolean => type.kind === 'dyn' || type.kind === 'error';
/** Whatever parameters stand for, it is the same. */
export const isSimple = (type: Type): boolean => type.params.length === 0 && !isFree(type);
/** A wrapper is what it wraps, but for null. */
const kindOf = (type: Type): Type['kind'] => (type.kind === 'wrapper' ? (type.params[0] as Type).kind : type.kind);

export function isSameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((param, i) => isSameType(param, b.params[i] as Type));
}

/** Whether there is a parameter in a type. Of declared types, which are not deep. */
export const hasParams = (type: Type): boolean => isFree(type) || type.params.some(hasParams);

/** How many types a type is made of, itself included. Types share parts, so that few may look like very many. */
const weights = new WeakMap<Type, number>();
export function weightOf(type: Type): number {
  if (type.params.length === 0) return 1;
  const known = weights.get(type);
  if (known !== undefined) return known;
  const weight = type.params.reduce((sum, param) => sum + weightOf(param), 1);
  weights.set(type, weight);
  return weight;
}

/** Types that parameters stand for. What an attempt has found out is forgotten when it fails. */
export class Mapping {
  private readonly known = new Map<string, Type>();
  private freeTypes = 0;
  private readonly trail: { readonly name: string; readonly before: Type | undefined }[] = [];

  /** A parameter that stands for nothing yet. */
  fresh(): Type {
    return param(`_var${this.freeTypes++}`);
  }

  find(type: Type): Type | undefined {
    return isFree(type) ? this.known.get(type.name) : undefined;
  }

  private set(param: Type, to: Type): void {
    this.trail.push({ name: param.name, before: this.known.get(param.name) });
    this.known.set(param.name, to);
  }

  private attempt(isFine: () => boolean): boolean {
    const start = this.trail.length;
    if (isFine()) return true;
    while (this.trail.length > start) {
      const { name, before } = this.trail.pop() as { name: string; before: Type | undefined };
      if (before === undefined) this.known.delete(name);
      else this.known.set(name, before);
    }
    return false;
  }

  assign(to: Type, from: Type): boolean {
    return this.attempt(() => this.isAssignable(to, from));
  }

  assignAll(to: readonly Type[], from: readonly Type[]): boolean {
    return this.attempt(() => this.areAssignable(to, from));
  }

  private areAssignable(as: readonly Type[], bs: readonly Type[]): boolean {
    return as.length === bs.length && as.every((a, i) => this.isAssignable(a, bs[i] as Type));
  }

  private isAssignable(a: Type, b: Type): boolean {
    if (isFree(b)) {
      const [isValid, isKnown] = this.substitutes(a, b);
      if (isValid) return true;
      if (isKnown) return false;
    }
    if (isFree(a)) return this.substitutes(b, a)[0];
    if (isDynOrError(a) || isDynOrError(b)) return true;
    if (a.kind === 'null') return isNullable(b);
    if (b.kind === 'null') return isNullable(a);
    switch (a.kind) {
      case 'type':
        return b.kind === 'type';
      case 'opaque':
      case 'list':
      case 'map':
        return a === b || (a.kind === b.kind && a.name === b.name && this.areAssignable(a.params, b.params));
      default:
        return kindOf(a) === kindOf(b) && a.name === b.name;
    }
  }

  /** Whether `param` may stand for `type`, and whether it is known what it stands for. */
  private substitutes(type: Type, param: Type): readonly [boolean, boolean] {
    if (isFree(type) && type.name === param.name) return [true, true];
    const known = this.find(param);
    if (known !== undefined) {
      if (isSameType(type, known)) return [true, true];
      if (!this.isAssignable(type, known)) return [false, true];
      const general = mostGeneral(type, known);
      if (!this.occurs(param, general)) this.set(param, general);
      return [true, true];
    }
    if (this.occurs(param, type)) return [false, false];
    this.set(param, type);
    return [true, false];
  }

  private occurs(param: Type, within: Type): boolean {
    if (isFree(within)) {
      if (within.name === param.name) return true;
      const known = this.find(within);
      return known !== undefined && this.occurs(param, known);
    }
    return within.params.some(part => this.occurs(param, part));
  }

  /** With parameters replaced by what they stand for; those that stand for nothing by dyn if `toDyn`. */
  resolve(type: Type, toDyn: boolean): Type {
    const known = this.find(type);
    if (known !== undefined) return this.resolve(known, toDyn);
    if (isFree(type)) return toDyn ? DYN : type;
    return type.params.length === 0 ? type : rebuild(type, part => this.resolve(part, toDyn));
  }
}

/** The same type when its parts are the same. */
export function rebuild(type: Type, part: (type: Type) => Type): Type {
  if (type.kind === 'wrapper') return type;
  const params = type.params.map(part);
  if (params.every((param, i) => param === type.params[i])) return type;
  const [first, second] = params as [Type, Type];
  switch (type.kind) {
    case 'list':
      return listOf(first);
    case 'map':
      return mapOf(first, second);
    case 'type':
      return typeOf(first);
    default:
      return opaque(type.name, ...params);
  }
}

const isNullable = (type: Type): boolean =>
  ['null', 'wrapper', 'opaque', 'struct', 'duration', 'timestamp'].includes(type.kind);

/** The more general of two types that fit each other. */
export const mostGeneral = (a: Type, b: Type): Type => (isLessSpecific(a, b) ? a : b);

function isLessSpecific(a: Type, b: Type): boolean {
  if (isDyn(a) || isFree(a)) return true;
  if (isDyn(b) || isFree(b)) return false;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'opaque':
    case 'list':
    case 'map':
      return (
        a.name === b.name &&
        a.params.length === b.params.length &&
        a.params.every((param, i) => isLessSpecific(param, b.params[i] as Type))
      );
    case 'type':
      return true;
    default:
      return isSameType(a, b);
  }
}

/** What an optional is of, and whether it is one. */
export const unwrapOptional = (type: Type): readonly [Type, boolean] =>
  isOptional(type) ? [type.params[0] as Type, true] : [type, false];
