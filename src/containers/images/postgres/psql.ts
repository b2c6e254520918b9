import { FileError, resolvePath } from '../../file-system.js';
import type { Process, Program } from '../../process.js';
import { parseOptions, UsageError, type Options } from '../../programs/options.js';
import type { Connection } from '../connections.js';
import { inputLines } from '../input-lines.js';
import { notSimulated } from '../not-simulated.js';
import { ask, connectionProblem, defined, logIn, open, targetOf, type Target } from './client.js';
import { PG_DIALECT, PG_VERSION } from './sql.js';
import { formatSet, type Format } from './format.js';
import { statementsOf, UnterminatedError } from '../sql/tokens.js';

const LONG = {
  host: 'h:',
  port: 'p:',
  username: 'U:',
  dbname: 'd:',
  command: 'c:',
  file: 'f:',
  'tuples-only': 't',
  'no-align': 'A',
  quiet: 'q',
  'no-psqlrc': 'X',
  password: 'W',
  'no-password': 'w',
  set: 'v:',
  variable: 'v:',
  list: 'l',
  'single-transaction': '1',
  'field-separator': 'F:',
  'echo-all': 'a',
  'echo-errors': 'b',
  'echo-queries': 'e',
  expanded: 'x',
  pset: 'P:',
  version: 'V',
};

const MAX_SCRIPT = 256 * 1024;
const LIST = 'SELECT datname AS "Name" FROM pg_database';
const ROLES = 'SELECT rolname AS "Role name" FROM pg_roles';

interface Session {
  readonly process: Process;
  readonly connection: Connection;
  readonly target: Target;
  readonly format: Format;
  readonly quiet: boolean;
  readonly stopsOnError: boolean;
}

/** psql: the commands of -c, the file of -f, or what it reads. */
export const psql: Program = async process => {
  let options: Options;
  try {
    options = parseOptions(process.args.slice(1), { short: 'h:p:U:d:c:f:tAqXWwv:l1F:R:abexEP:VHzL:o:nsS', long: LONG });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return notSimulated(process, error.message);
  }
  const { stdout, stderr } = process;
  if (options.has('V')) {
    await stdout.write(`psql (PostgreSQL) ${PG_VERSION}\n`);
    return 0;
  }
  const [name = options.get('d') ?? '', user] = options.has('d')
    ? [options.get('d'), options.operands[0]]
    : options.operands;
  const port = options.get('p');
  const given = {
    host: options.get('h'),
    port: port === undefined ? undefined : Number(port),
    user: options.get('U') ?? user,
  };
  const target = targetOf(process.env, defined(given), name);
  let connection: Connection | undefined;
  try {
    connection = await open(process, target);
    await logIn(connection, target);
    return await run({ process, connection, target, ...settingsOf(options) }, options);
  } catch (error) {
    const problem = connectionProblem(error, target);
    if (problem === undefined) throw error;
    await stderr.write(`psql: error: ${problem}\n`);
    return 2;
  } finally {
    connection?.stream.destroy();
  }
};

const settingsOf = (options: Options): Pick<Session, 'format' | 'quiet' | 'stopsOnError'> => ({
  format: { tuplesOnly: options.has('t'), aligned: !options.has('A'), separator: options.get('F') ?? '|' },
  quiet: options.has('q'),
  stopsOnError: options.all('v').some(word => /^ON_ERROR_STOP=(?:1|on|true)$/i.test(word)),
});

async function run(session: Session, options: Options): Promise<number> {
  if (options.has('l')) return (await statement(session, LIST)) ? 0 : 1;
  const commands = options.all('c');
  if (commands.length > 0) {
    for (const command of commands) if (!(await statement(session, command))) return 1;
    return 0;
  }
  const { process } = session;
  const file = options.get('f');
  if (file === undefined || file === '-') return interact(session);
  try {
    const text = (await process.container.files.read(resolvePath(process.cwd, file))).toString('utf8');
    return await script(session, text);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await process.stderr.write(`psql: error: ${file}: ${error.message}\n`);
    return 1;
  }
}

/** Statements and commands of psql one by one, so that one that fails does not keep the next from running. */
async function script(session: Session, text: string): Promise<number> {
  for (const one of stepsOf(text.slice(0, MAX_SCRIPT)))
    if (!(await statement(session, one)) && session.stopsOnError) return 3;
  return 0;
}

function stepsOf(text: string): string[] {
  const steps: string[] = [];
  let lines: string[] = [];
  const flush = (): void => {
    steps.push(...sourcesOf(lines.join('\n')));
    lines = [];
  };
  for (const line of text.split('\n'))
    if (line.startsWith('\\')) {
      flush();
      steps.push(line);
    } else lines.push(line);
  flush();
  return steps;
}

/** A text that does not end is sent as it is, and refused there. */
function sourcesOf(text: string): string[] {
  try {
    return statementsOf(text, PG_DIALECT).map(({ source }) => source);
  } catch (error) {
    if (error instanceof UnterminatedError) return [text];
    throw error;
  }
}

async function interact(session: Session): Promise<number> {
  const { process, target } = session;
  const { stdout, tty } = process;
  const prompt = tty ? `${target.database ?? target.user}=# ` : '';
  if (tty) await stdout.write(`psql (${PG_VERSION})\nType "help" for help.\n\n`);
  await stdout.write(prompt);
  let begun = '';
  for await (const line of inputLines(process)) {
    const word = line.trim();
    if (begun === '' && (word === '\\q' || word === 'exit' || word === 'quit')) return 0;
    begun += `${line}\n`;
    if (begun.length > MAX_SCRIPT) throw new Error('statement too long');
    if (!word.endsWith(';') && !word.startsWith('\\')) {
      if (word === '' && begun.trim() === '') begun = '';
      continue;
    }
    if (!(await statement(session, begun)) && session.stopsOnError) return 3;
    begun = '';
    await stdout.write(prompt);
  }
  if (begun.trim() !== '' && !(await statement(session, begun)) && session.stopsOnError) return 3;
  return 0;
}

/** Whether it went well. */
async function statement(session: Session, text: string): Promise<boolean> {
  const { process, connection, format, quiet } = session;
  const { stdout, stderr } = process;
  const asked = text.trim();
  if (asked.startsWith('\\')) return meta(session, asked);
  let well = true;
  const held = process.container.budget.memory.account();
  try {
    for await (const answer of ask(connection, asked, held)) {
      if (answer.kind === 'error') {
        await stderr.write(`${answer.severity}:  ${answer.message}\n`);
        well = false;
      } else if (answer.kind === 'rows') await stdout.write(formatSet(answer.set, format));
      else if (!quiet) await stdout.write(`${answer.tag}\n`);
    }
  } finally {
    held.close();
  }
  return well;
}

async function meta(session: Session, text: string): Promise<boolean> {
  const { process, target } = session;
  const [command = ''] = text.split(/\s/, 1);
  switch (command) {
    case '\\q':
      return true;
    case '\\l':
    case '\\list':
      return statement(session, LIST);
    case '\\du':
    case '\\dg':
      return statement(session, ROLES);
    case '\\d':
    case '\\dt':
      await process.stderr.write('Did not find any relations.\n');
      return true;
    case '\\conninfo':
      await process.stdout.write(
        `You are connected to database "${target.database ?? target.user}" as user "${target.user}" on host "${target.host ?? '/var/run/postgresql'}" at port "${target.port}".\n`,
      );
      return true;
    case '\\echo':
      await process.stdout.write(`${text.slice(6)}\n`);
      return true;
    default:
      await notSimulated(process, command.slice(0, 32));
      return false;
  }
}
