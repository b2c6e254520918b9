export type Jump = 'break' | 'continue' | 'next' | 'nextfile' | 'return' | 'exit' | undefined;

/** exit or next in a function: it ends the rule, too. */
export class Unwind extends Error {
  override readonly name = 'Unwind';
  constructor(readonly jump: 'exit' | 'next') {
    super(jump);
  }
}
