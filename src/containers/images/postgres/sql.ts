import { notHeld, type Catalog, type Outcome, type Rows, type Value } from '../sql/catalog.js';
import { define, harmless } from '../sql/definitions.js';
import { select, type Environment } from '../sql/select.js';
import { statementsOf, type Dialect, type Token } from '../sql/tokens.js';

export const PG_VERSION = '17.6';
export const PG_DIALECT: Dialect = { nameQuote: '"', doubleQuotedText: false, backslash: false };

/** Who asks, and what about. */
export interface PgSession {
  readonly catalog: Catalog;
  readonly user: string;
  readonly database: string;
  readonly pid: number;
  /** Clock milliseconds. */
  readonly now: () => number;
}

const VERSION_TEXT = `PostgreSQL ${PG_VERSION} (simulated) on x86_64-pc-linux-gnu, 64-bit`;

const SETTINGS: Readonly<Record<string, string>> = {
  server_version: PG_VERSION,
  server_version_num: '170006',
  server_encoding: 'UTF8',
  client_encoding: 'UTF8',
  datestyle: 'ISO, MDY',
  timezone: 'UTC',
  standard_conforming_strings: 'on',
  transaction_isolation: 'read committed',
  transaction_read_only: 'off',
  default_transaction_read_only: 'off',
  in_hot_standby: 'off',
  max_connections: '100',
  search_path: '"$user", public',
  port: '5432',
  ssl: 'off',
};
const settingOf = (name: string): string | undefined => (Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined);

const timeText = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '+00');

function environmentOf(session: PgSession): Environment {
  const words: Readonly<Record<string, () => Value>> = {
    current_user: () => session.user,
    session_user: () => session.user,
    user: () => session.user,
    current_catalog: () => session.database,
    current_schema: () => 'public',
    current_timestamp: () => timeText(session.now()),
    current_date: () => timeText(session.now()).slice(0, 10),
  };
  const functions: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
    version: () => VERSION_TEXT,
    now: () => timeText(session.now()),
    current_database: () => session.database,
    current_schema: () => 'public',
    pg_is_in_recovery: () => false,
    pg_backend_pid: () => session.pid,
    current_setting: ([name]) => settingOf(String(name).toLowerCase()) ?? null,
    set_config: ([, value = null]) => value,
    pg_sleep: () => '',
    upper: ([text]) => String(text).toUpperCase(),
    lower: ([text]) => String(text).toLowerCase(),
    length: ([text]) => String(text).length,
    coalesce: args => args.find(arg => arg !== null) ?? null,
  };
  return {
    call: (name, args) => (Object.hasOwn(functions, name) ? functions[name]?.(args) : undefined),
    variable: name => (Object.hasOwn(words, name) ? words[name]?.() : undefined),
    table: name => tableOf(session, name.replace(/^pg_catalog\./, '')),
    unnamed: source => /^(\w+)\(/.exec(source)?.[1] ?? (Object.hasOwn(words, source) ? source : '?column?'),
  };
}

function tableOf({ catalog, user, database, pid }: PgSession, name: string): Rows | undefined {
  const texts = (columns: readonly string[], rows: readonly (readonly Value[])[]): Rows => ({
    columns: columns.map(column => ({ name: column, type: 'text' })),
    rows,
  });
  switch (name) {
    case 'pg_database':
      return texts(
        ['datname'],
        [...catalog.databases].map(one => [one]),
      );
    case 'pg_roles':
      return texts(
        ['rolname'],
        [...catalog.roles.keys()].map(one => [one]),
      );
    case 'pg_user':
      return texts(
        ['usename'],
        [...catalog.roles.keys()].map(one => [one]),
      );
    case 'pg_stat_activity':
      return texts(['pid', 'usename', 'datname', 'state'], [[pid, user, database, 'active']]);
    case 'pg_tables':
      return texts(['schemaname', 'tablename', 'tableowner'], []);
    case 'information_schema.tables':
      return texts(['table_catalog', 'table_schema', 'table_name', 'table_type'], []);
    default:
      return undefined;
  }
}

/** The outcomes of a text's statements, one by one. @throws SqlError, UnterminatedError */
export function* runPg(session: PgSession, text: string): Generator<Outcome> {
  for (const { tokens } of statementsOf(text, PG_DIALECT)) yield runStatement(session, tokens);
}

function runStatement(session: PgSession, tokens: readonly Token[]): Outcome {
  const [first, second] = tokens;
  if (first?.text === 'select') {
    const result = select(tokens.slice(1), environmentOf(session));
    return { tag: `SELECT ${result.rows.length}`, result };
  }
  if (first?.text === 'show') {
    const name = (second?.text ?? '').toLowerCase();
    const value = settingOf(name);
    if (value === undefined) throw notHeld(`SHOW ${name.slice(0, 64)}`);
    return { tag: 'SHOW', result: { columns: [{ name, type: 'text' }], rows: [[value]] } };
  }
  const outcome = define(session.catalog, tokens) ?? harmless(tokens) ?? extension(tokens);
  if (outcome !== undefined) return outcome;
  throw notHeld(
    tokens
      .slice(0, 2)
      .map(token => token.text.slice(0, 32).toUpperCase())
      .join(' '),
  );
}

/** There is nothing that one would add to. */
const extension = ([first, second]: readonly Token[]): Outcome | undefined =>
  first?.text === 'create' && second?.text === 'extension' ? { tag: 'CREATE EXTENSION' } : undefined;
