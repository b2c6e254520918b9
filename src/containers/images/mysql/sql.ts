import { notHeld, SqlError, type Catalog, type Outcome, type Rows, type Value } from '../sql/catalog.js';
import { define, harmless } from '../sql/definitions.js';
import { select, type Environment } from '../sql/select.js';
import { statementsOf, type Dialect, type Token } from '../sql/tokens.js';

export const MYSQL_DIALECT: Dialect = { nameQuote: '`', doubleQuotedText: true, backslash: true };

export interface MysqlSession {
  readonly catalog: Catalog;
  readonly version: string;
  readonly user: string;
  readonly host: string;
  database: string | undefined;
  readonly thread: number;
  /** Clock milliseconds. */
  readonly now: () => number;
  readonly uptime: () => number;
}

const VARIABLES: Readonly<Record<string, Value>> = {
  version_comment: 'Kubette, simulated',
  version_compile_os: 'Linux',
  version_compile_machine: 'x86_64',
  autocommit: 1,
  auto_increment_increment: 1,
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  character_set_server: 'utf8mb4',
  collation_server: 'utf8mb4_0900_ai_ci',
  collation_connection: 'utf8mb4_0900_ai_ci',
  init_connect: '',
  interactive_timeout: 28_800,
  wait_timeout: 28_800,
  license: 'Apache-2.0',
  lower_case_table_names: 0,
  max_allowed_packet: 262_144,
  max_connections: 151,
  net_write_timeout: 60,
  performance_schema: 0,
  port: 3306,
  read_only: 0,
  super_read_only: 0,
  sql_mode:
    'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  system_time_zone: 'UTC',
  time_zone: 'SYSTEM',
  transaction_isolation: 'REPEATABLE-READ',
  tx_isolation: 'REPEATABLE-READ',
  hostname: 'localhost',
};

const variablesOf = ({ version }: MysqlSession): Readonly<Record<string, Value>> => ({ version, ...VARIABLES });

const statusOf = ({ uptime }: MysqlSession): Readonly<Record<string, Value>> => ({
  uptime: uptime(),
  threads_connected: 1,
  threads_running: 1,
  wsrep_ready: 'OFF',
  wsrep_local_state_comment: 'Disconnected',
});

const timeText = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

function environmentOf(session: MysqlSession): Environment {
  const functions: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
    version: () => session.version,
    database: () => session.database ?? null,
    schema: () => session.database ?? null,
    user: () => `${session.user}@${session.host}`,
    current_user: () => `${session.user}@%`,
    connection_id: () => session.thread,
    now: () => timeText(session.now()),
    sleep: () => 0,
    upper: ([text]) => String(text).toUpperCase(),
    lower: ([text]) => String(text).toLowerCase(),
    length: ([text]) => String(text).length,
  };
  const variables = variablesOf(session);
  return {
    call: (name, args) => (Object.hasOwn(functions, name) ? functions[name]?.(args) : undefined),
    variable(name) {
      if (name === 'current_user') return `${session.user}@%`;
      if (name === 'current_timestamp') return timeText(session.now());
      const bare = name.replace(/^(?:global|session|local)\./, '');
      return Object.hasOwn(variables, bare) ? variables[bare] : undefined;
    },
    table: name => tableOf(session, name.toLowerCase()),
    unnamed: source => source,
  };
}

const textRows = (columns: readonly string[], rows: readonly (readonly Value[])[]): Rows => ({
  columns: columns.map(name => ({ name, type: 'text' })),
  rows,
});

function tableOf({ catalog }: MysqlSession, name: string): Rows | undefined {
  switch (name) {
    case 'information_schema.schemata':
      return textRows(
        ['schema_name'],
        [...catalog.databases].map(one => [one]),
      );
    case 'information_schema.tables':
      return textRows(['table_schema', 'table_name', 'table_type'], []);
    case 'mysql.user':
      return textRows(
        ['user', 'host'],
        [...catalog.roles.keys()].map(one => [one, '%']),
      );
    case 'dual':
      return textRows(['dummy'], [['X']]);
    default:
      return undefined;
  }
}

/** The outcomes of a text's statements, one by one. @throws SqlError, UnterminatedError */
export function* runMysql(session: MysqlSession, text: string): Generator<Outcome> {
  for (const { tokens } of statementsOf(text, MYSQL_DIALECT)) yield runStatement(session, tokens);
}

function runStatement(session: MysqlSession, tokens: readonly Token[]): Outcome {
  const [first, second] = tokens;
  if (first?.text === 'select') {
    const result = select(tokens.slice(1), environmentOf(session));
    return { tag: 'SELECT', result };
  }
  if (first?.text === 'show') return { tag: 'SHOW', result: show(session, tokens.slice(1)) };
  if (first?.text === 'use') {
    if (!session.catalog.databases.has(second?.text ?? ''))
      throw new SqlError('3D000', `Unknown database '${second?.text.slice(0, 64) ?? ''}'`);
    session.database = second?.text;
    return { tag: 'USE' };
  }
  const outcome = define(session.catalog, tokens) ?? harmless(tokens);
  if (outcome !== undefined) return outcome;
  throw notHeld(
    tokens
      .slice(0, 2)
      .map(token => token.text.slice(0, 32).toUpperCase())
      .join(' '),
  );
}

/** SHOW DATABASES, TABLES, [GLOBAL|SESSION] VARIABLES and STATUS [LIKE 'name']. */
function show(session: MysqlSession, tokens: readonly Token[]): Rows {
  const words = tokens
    .filter(({ text }) => text !== 'global' && text !== 'session' && text !== 'full')
    .map(({ text }) => text);
  const [what = '', how, name = ''] = words;
  switch (what) {
    case 'databases':
    case 'schemas':
      return textRows(
        ['Database'],
        [...session.catalog.databases].filter(one => how !== 'like' || one === name).map(one => [one]),
      );
    case 'tables':
      return textRows([`Tables_in_${session.database ?? ''}`], []);
    case 'warnings':
      return textRows(['Level', 'Code', 'Message'], []);
    case 'variables':
    case 'status': {
      const all = what === 'variables' ? variablesOf(session) : statusOf(session);
      const wanted = (
        how === 'like' || how === '=' ? name : how === 'where' ? (tokens.at(-1)?.text ?? '') : ''
      ).toLowerCase();
      const rows = Object.entries(all).filter(([key]) => wanted === '' || key === wanted);
      return textRows(
        ['Variable_name', 'Value'],
        rows.map(([key, value]) => [key, String(value)]),
      );
    }
    default:
      throw notHeld(`SHOW ${what.slice(0, 32).toUpperCase()}`);
  }
}
