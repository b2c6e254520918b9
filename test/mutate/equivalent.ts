/** A mutant that does what the program does, and why no test can tell them apart. */
interface Equivalent {
  /** The compiled file below `dataplane`, the line as it is, and the mutation's name. */
  readonly path: string;
  readonly line: string;
  readonly name: string;
  readonly why: string;
}

const EQUIVALENT: readonly Equivalent[] = [];

export const reasonOf = ({ path, line, name }: Omit<Equivalent, 'why'>): string | undefined =>
  EQUIVALENT.find(known => known.path === path && known.line === line && known.name === name)?.why;
