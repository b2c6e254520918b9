export interface Asked {
  readonly test: string;
  /** What it takes without a mutant. */
  readonly ms: number;
}

/** Without a mutant, one test: whom it comes by at. Or a mutant (-1: none), and the tests to ask, in this order. */
export type Request =
  | { readonly kind: 'cover'; readonly test: string }
  | { readonly kind: 'judge'; readonly mutant: number; readonly tests: readonly Asked[] };

export type Answer =
  | { readonly kind: 'loaded'; readonly tests: readonly string[]; readonly ids: readonly number[] }
  | { readonly kind: 'covered'; readonly failed: boolean; readonly ms: number; readonly ids: readonly number[] }
  | { readonly kind: 'begins'; readonly test: string }
  | { readonly kind: 'judged'; readonly killer?: string };
