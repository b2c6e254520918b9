import type { Expr, Ident, Select } from '../ast.js';
import { candidateNames, type Environment, type FunctionEntry } from '../environment.js';
import { struct, typeOf, type Type } from '../types.js';
import type { Reference } from './checked.js';

type Scope = ReadonlyMap<string, Type>;

/** "a.b.c" when an expression is nothing but names. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.test) return undefined;
  const before = qualifiedName(expr.of);
  return before === undefined ? undefined : `${before}.${expr.field}`;
}

/** What names stand for: what comprehensions declare, then what the environment has, the innermost container first. */
export class Names {
  readonly references = new Map<Expr, Reference>();
  /** Of comprehensions, inner ones last. */
  private readonly scopes: Scope[] = [];

  constructor(private readonly env: Environment) {}

  enter(scope: Scope): void {
    this.scopes.push(scope);
  }

  leave(): void {
    this.scopes.pop();
  }

  /** The type of a name. */
  lookUp(expr: Ident | Select, name: string): Type | undefined {
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

  typeNamed(name: string): Type | undefined {
    return this.env.provider.has(name) ? struct(name) : this.env.provider.identifier?.(name);
  }

  functionNamed(name: string): FunctionEntry | undefined {
    for (const candidate of candidateNames(this.env.container, name)) {
      const found = this.env.function(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
