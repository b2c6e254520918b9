/** What a database server knows without keeping any table: who may come in, and to what. */
export interface Catalog {
  readonly databases: Set<string>;
  /** Passwords by role; undefined: it has none, and gets in nowhere that asks for one. */
  readonly roles: Map<string, string | undefined>;
}

/** So many databases, and so many roles. */
export const MAX_NAMES = 1000;

export type Value = string | number | boolean | null;

export interface Column {
  readonly name: string;
  readonly type: 'text' | 'integer' | 'boolean';
}

export interface Rows {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Value[])[];
}

/** What a statement came to. */
export interface Outcome {
  /** "SELECT 1", "CREATE DATABASE" */
  readonly tag: string;
  readonly result?: Rows;
}

/** What is wrong with a statement; `code` is its SQLSTATE. */
export class SqlError extends Error {
  override readonly name = 'SqlError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export const notHeld = (what: string): SqlError =>
  new SqlError('0A000', `${what}: not simulated, this server keeps no tables; see \`kubette images\``);
