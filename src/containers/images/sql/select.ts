import { notHeld, SqlError, type Column, type Rows, type Value } from './catalog.js';
import type { Token } from './tokens.js';

/** What a dialect has beside literals. */
export interface Environment {
  /** Undefined: there is none of that name. */
  readonly call: (name: string, args: readonly Value[]) => Value | undefined;
  /** A word that stands alone (current_user), or behind @@. */
  readonly variable: (name: string) => Value | undefined;
  /** A table of the server's own catalog. */
  readonly table: (name: string) => Rows | undefined;
  /** How an expression without a name is called. */
  readonly unnamed: (source: string) => string;
}

type Row = Readonly<Record<string, Value>>;

const MAX_DEPTH = 32;

class Reader {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly environment: Environment,
  ) {}

  peek(): string | undefined {
    const token = this.tokens[this.at];
    return token?.kind === 'word' || token?.kind === 'symbol' ? token.text : undefined;
  }

  accept(...words: readonly string[]): boolean {
    const fits = words.every((word, i) => {
      const token = this.tokens[this.at + i];
      return (token?.kind === 'word' || token?.kind === 'symbol') && token.text === word;
    });
    if (fits) this.at += words.length;
    return fits;
  }

  get ended(): boolean {
    return this.at >= this.tokens.length;
  }

  get position(): number {
    return this.at;
  }

  source(from: number): string {
    return this.tokens
      .slice(from, this.at)
      .map(token => token.text)
      .join('');
  }

  name(): string {
    const token = this.tokens[this.at++];
    if (token?.kind !== 'word' && token?.kind !== 'name') throw syntax(token);
    return token.text;
  }

  /** a.b.c */
  path(): string {
    let path = this.name();
    while (this.accept('.')) path += `.${this.name()}`;
    return path;
  }

  expression(row: Row | undefined, depth = 0): Value {
    let value = this.primary(row, depth);
    for (;;) {
      const operator = this.peek();
      if (operator === '::') {
        this.accept('::');
        this.path();
      } else if (operator === '+' || operator === '-' || operator === '*' || operator === '/') {
        this.accept(operator);
        value = arithmetic(operator, value, this.primary(row, depth));
      } else return value;
    }
  }

  private primary(row: Row | undefined, depth: number): Value {
    if (depth > MAX_DEPTH) throw new SqlError('54001', 'stack depth limit exceeded');
    const token = this.tokens[this.at++];
    if (token === undefined) throw syntax(token);
    switch (token.kind) {
      case 'text':
        return token.text;
      case 'number':
        return Number(token.text);
      case 'symbol':
        if (token.text === '(') {
          const value = this.expression(row, depth + 1);
          if (!this.accept(')')) throw syntax(this.tokens[this.at]);
          return value;
        }
        if (token.text === '-') return arithmetic('-', 0, this.primary(row, depth + 1));
        if (token.text === '@@') return this.variable(this.path());
        if (token.text === '@') return (this.name(), null);
        throw syntax(token);
      case 'word':
      case 'name':
        return this.named(token, row, depth);
    }
  }

  private named({ kind, text }: Token, row: Row | undefined, depth: number): Value {
    if (kind === 'word' && text in CONSTANTS) return CONSTANTS[text] ?? null;
    let path = text;
    while (this.accept('.')) path += `.${this.name()}`;
    if (this.accept('(')) {
      const args: Value[] = [];
      if (this.accept('*')) args.push('*');
      while (!this.accept(')')) {
        args.push(this.expression(row, depth + 1));
        if (!this.accept(',') && this.peek() !== ')') throw syntax(this.tokens[this.at]);
      }
      const value = this.environment.call(path.replace(/^pg_catalog\./, ''), args);
      if (value === undefined) throw notHeld(`function ${path.slice(0, 64)}`);
      return value;
    }
    const column = path.slice(path.lastIndexOf('.') + 1);
    if (row !== undefined && Object.hasOwn(row, column)) return row[column] ?? null;
    return this.variable(path);
  }

  private variable(name: string): Value {
    const value = this.environment.variable(name);
    if (value === undefined) throw new SqlError('42703', `column "${name.slice(0, 64)}" does not exist`);
    return value;
  }
}

const CONSTANTS: Readonly<Record<string, Value>> = { true: true, false: false, null: null };

const syntax = (token: Token | undefined): SqlError =>
  new SqlError(
    '42601',
    token === undefined ? 'syntax error at end of input' : `syntax error at or near "${token.text.slice(0, 64)}"`,
  );

function arithmetic(operator: '+' | '-' | '*' | '/', left: Value, right: Value): Value {
  const [a, b] = [Number(left), Number(right)];
  if (operator === '/' && b === 0) throw new SqlError('22012', 'division by zero');
  return operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : Math.trunc(a / b);
}

interface Selected {
  readonly values: Value[];
  readonly names: string[];
  /** Whether it counts the rows instead of showing them. */
  readonly counts: boolean;
}

/** What a SELECT (without that word) says of literals, functions and the server's own catalog. @throws SqlError */
export function select(tokens: readonly Token[], environment: Environment): Rows {
  const from = tokens.findIndex(token => token.kind === 'word' && token.text === 'from');
  const list = from < 0 ? withoutLimit(tokens) : tokens.slice(0, from);
  if (from < 0) {
    const { values, names } = selectRow(list, environment, undefined);
    return { columns: names.map((name, i) => ({ name, type: typeOf(values[i]) })), rows: [values] };
  }
  const tail = new Reader(tokens.slice(from + 1), environment);
  const name = tail.path();
  const table = environment.table(name);
  if (table === undefined) throw notHeld(`relation "${name.slice(0, 64)}"`);
  const alias = !tail.ended && !['where', 'order', 'limit'].includes(tail.peek() ?? 'where');
  if (alias) tail.name();
  const wanted = conditions(tail);
  const rows = table.rows
    .map(values => Object.fromEntries(table.columns.map((column, i) => [column.name, values[i] ?? null])))
    .filter(row => wanted.every(({ column, value }) => String(row[column]) === String(value)));
  if (list.length === 1 && list[0]?.text === '*')
    return { columns: table.columns, rows: rows.map(row => table.columns.map(column => row[column.name] ?? null)) };
  const counted = selectRow(list, environment, emptyRow(table.columns));
  if (counted.counts)
    return { columns: [{ name: counted.names[0] ?? 'count', type: 'integer' }], rows: [[rows.length]] };
  const selected = rows.map(row => selectRow(list, environment, row));
  const example = selected[0]?.values ?? counted.values;
  return {
    columns: counted.names.map((column, i) => ({ name: column, type: typeOf(example[i]) })),
    rows: selected.map(one => one.values),
  };
}

const emptyRow = (columns: readonly Column[]): Row => Object.fromEntries(columns.map(column => [column.name, '']));

/** LIMIT has nothing to do where there is one row. */
function withoutLimit(tokens: readonly Token[]): readonly Token[] {
  const at = tokens.findIndex(token => token.kind === 'word' && token.text === 'limit');
  return at < 0 ? tokens : tokens.slice(0, at);
}

function selectRow(tokens: readonly Token[], environment: Environment, row: Row | undefined): Selected {
  let counts = false;
  const reader = new Reader(tokens, {
    ...environment,
    call(name, args) {
      if (name !== 'count' || row === undefined) return environment.call(name, args);
      counts = true;
      return 0;
    },
  });
  const values: Value[] = [];
  const names: string[] = [];
  do {
    const begin = reader.position;
    values.push(reader.expression(row));
    const source = reader.source(begin);
    names.push(
      reader.accept('as') || (!reader.ended && reader.peek() !== ',')
        ? reader.name()
        : nameOf(source, row, environment),
    );
  } while (reader.accept(','));
  if (!reader.ended) throw notHeld(`"${reader.peek()?.slice(0, 32) ?? ''}"`);
  return { values, names, counts };
}

const nameOf = (source: string, row: Row | undefined, environment: Environment): string =>
  row !== undefined && Object.hasOwn(row, source) ? source : environment.unnamed(source);

interface Condition {
  readonly column: string;
  readonly value: Value;
}

/** WHERE a = 'x' AND b = 1; an order and a limit behind it change nothing that is tested for. */
function conditions(reader: Reader): Condition[] {
  const wanted: Condition[] = [];
  if (reader.accept('where'))
    do {
      const path = reader.path();
      if (!reader.accept('=')) throw notHeld('this WHERE');
      wanted.push({ column: path.slice(path.lastIndexOf('.') + 1), value: reader.expression(undefined) });
    } while (reader.accept('and'));
  if (!reader.ended && reader.peek() !== 'order' && reader.peek() !== 'limit') throw notHeld('this SELECT');
  return wanted;
}

const typeOf = (value: Value | undefined): Column['type'] =>
  typeof value === 'number' ? 'integer' : typeof value === 'boolean' ? 'boolean' : 'text';
