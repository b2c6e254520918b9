import type { Process, Program } from '../../process.js';
import type { Connection } from '../connections.js';
import { inputLines } from '../input-lines.js';
import { statementsOf, UnterminatedError } from '../sql/tokens.js';
import { ask, connect, connectionProblem, ServerError, type ResultSet } from './client.js';
import { parseClientOptions, type ClientOptions } from './options.js';
import { MYSQL_DIALECT } from './sql.js';

const MAX_SCRIPT = 256 * 1024;

/** mysql: the statements of -e, or what it reads. */
export const mysqlClient =
  (version: string): Program =>
  async process => {
    const options = parseClientOptions(process);
    const name = process.args[0]?.split('/').at(-1) ?? 'mysql';
    if (options.version) {
      await process.stdout.write(`${name}  Ver ${version} for Linux on x86_64\n`);
      return 0;
    }
    const database = options.operands[0] ?? options.target.database;
    const target = { ...options.target, database };
    let connection: Connection | undefined;
    try {
      connection = await connect(process, target);
      return await run(process, connection, options);
    } catch (error) {
      const problem = connectionProblem(error, target);
      if (problem === undefined) throw error;
      await process.stderr.write(`${problem}\n`);
      return 1;
    } finally {
      connection?.stream.destroy();
    }
  };

async function run(process: Process, connection: Connection, options: ClientOptions): Promise<number> {
  if (options.execute !== undefined) return runText(process, connection, options, options.execute);
  const { tty, stdout } = process;
  const prompt = tty ? 'mysql> ' : '';
  await stdout.write(prompt);
  let begun = '';
  for await (const line of inputLines(process)) {
    const word = line.trim();
    if (['exit', 'quit', '\\q', 'exit;', 'quit;'].includes(word)) return 0;
    begun += `${line}\n`;
    if (begun.length > MAX_SCRIPT) throw new Error('statement too long');
    if (!word.endsWith(';')) continue;
    const code = await runText(process, connection, options, begun);
    if (code !== 0 && !tty && !options.force) return code;
    begun = '';
    await stdout.write(prompt);
  }
  return begun.trim() === '' ? 0 : runText(process, connection, options, begun);
}

async function runText(
  process: Process,
  connection: Connection,
  options: ClientOptions,
  text: string,
): Promise<number> {
  let code = 0;
  for (const statement of sourcesOf(text)) {
    const held = process.container.budget.memory.account();
    try {
      const set = await ask(connection, statement, held);
      if (set !== undefined) await process.stdout.write(format(set, options));
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      await process.stderr.write(`ERROR ${error.number} (${error.state}) at line 1: ${error.message}\n`);
      code = 1;
      if (!options.force) return code;
    } finally {
      held.close();
    }
  }
  return code;
}

/** A text that does not end is sent as it is, and refused there. */
function sourcesOf(text: string): string[] {
  try {
    return statementsOf(text, MYSQL_DIALECT).map(({ source }) => source);
  } catch (error) {
    if (error instanceof UnterminatedError) return [text];
    throw error;
  }
}

function format({ columns, rows }: ResultSet, { skipNames, table }: ClientOptions): string {
  const cells = rows.map(row => row.map(value => value ?? 'NULL'));
  if (!table)
    return [...(skipNames || rows.length === 0 ? [] : [columns]), ...cells].map(row => `${row.join('\t')}\n`).join('');
  if (rows.length === 0) return '';
  const widths = columns.map((name, i) =>
    cells.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), name.length),
  );
  const rule = `+${widths.map(width => '-'.repeat(width + 2)).join('+')}+\n`;
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  return `${rule}${skipNames ? '' : `${line(columns)}${rule}`}${cells.map(line).join('')}${rule}`;
}
