import type { Macro } from '../declarations.js';

/** What an environment has of syntax. */
export interface Syntax {
  /** `a.?b`, `a[?b]`, `[?x]`, `{?k: v}` */
  readonly optionals: boolean;
  /** Field names in backquotes. */
  readonly escapedNames: boolean;
  /** Undefined: the call is no macro. */
  macro(name: string, isMember: boolean, args: number): Macro | undefined;
}
