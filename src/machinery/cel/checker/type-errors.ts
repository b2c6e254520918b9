import type { Expr } from '../ast.js';
import type { Problem } from '../tokens.js';
import { ERROR, formatType, type Type } from '../types.js';

/** What a check finds, in cel-go's words (checker/errors.go). What is wrong has the type that fits everywhere. */
export class TypeErrors {
  readonly problems: Problem[] = [];

  constructor(private readonly container: string) {}

  report(at: number, text: string): Type {
    this.problems.push({ at, text });
    return ERROR;
  }

  mismatch(expr: Expr, expected: Type, found: Type): Type {
    return this.report(expr.at, `expected type '${formatType(expected)}' but found '${formatType(found)}'`);
  }

  undeclared(at: number, name: string): Type {
    return this.report(at, `undeclared reference to '${name}' (in container '${this.container}')`);
  }
}
