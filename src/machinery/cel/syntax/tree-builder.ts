import type { Call, Expr } from '../ast.js';
import { copyExpr } from './copy.js';
import { createMaker, MacroProblem } from './maker.js';
import { NOWHERE } from './problems.js';
import type { Syntax } from './syntax.js';
import { SyntaxProblem, type TokenStream } from './token-stream.js';

/** cel-go's bound of what it parses (parser/options.go), and where it says so: nowhere. */
export const MAX_DEPTH = 250;
/** A copy of a copy of a copy is soon more than there is memory for. */
const MAX_COPIES = 10_000;

/** Makes expressions of others, no deeper than cel-go has them, and of macros what they stand for. */
export class TreeBuilder {
  /** Expressions that macros have copied. */
  copies = 0;
  /** How deep operators and members are in each other. Logic is not counted: its trees are balanced. */
  private readonly depths = new Map<Expr, number>();

  constructor(
    private readonly tokens: TokenStream,
    private readonly syntax: Syntax,
  ) {}

  /** `own`: whether it is a step deeper than its children. */
  deep<T extends Expr>(expr: T, children: readonly Expr[], own: 0 | 1): T {
    let depth = 0;
    for (const child of children) depth = Math.max(depth, this.depths.get(child) ?? 0);
    depth += own;
    if (depth > MAX_DEPTH) throw new SyntaxProblem({ at: NOWHERE, text: 'max recursion depth exceeded' });
    this.setDepth(expr, depth);
    return expr;
  }

  /** Of an operator. */
  call(name: string, at: number, args: readonly Expr[], own: 0 | 1): Expr {
    return this.deep<Call>({ kind: 'call', target: undefined, name, args, at }, args, own);
  }

  /** A call, or what the macro of its name makes of it. */
  callOrMacro(target: Expr | undefined, name: string, args: readonly Expr[], at: number): Expr {
    const children = target === undefined ? args : [target, ...args];
    const own = target === undefined ? 0 : 1;
    const call = this.deep<Call>({ kind: 'call', target, name, args, at }, children, own);
    const macro = this.syntax.macro(name, target !== undefined, args.length);
    if (macro === undefined) return call;
    try {
      const expanded = macro.expand(
        createMaker(at, expr => this.copy(expr)),
        target,
        args,
      );
      if (expanded === undefined) return call;
      this.setDepth(expanded, this.depths.get(call) ?? 0);
      return expanded;
    } catch (error) {
      if (!(error instanceof MacroProblem)) throw error;
      return this.tokens.problem(error.at, error.message, call);
    }
  }

  /** The same once more, unless that has been done so often that expressions would grow without bounds. */
  private copy(expr: Expr): Expr {
    const copied = copyExpr(expr, () => this.copies++ < MAX_COPIES);
    this.setDepth(copied, this.depths.get(expr) ?? 0);
    return copied;
  }

  private setDepth(expr: Expr, depth: number): void {
    if (depth > 0 || this.depths.has(expr)) this.depths.set(expr, depth);
  }
}
