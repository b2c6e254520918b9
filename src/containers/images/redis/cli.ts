import { NetworkError } from '../../network/errors.js';
import type { Process, Program } from '../../process.js';
import { dial, Gone, UnknownHost, type Connection } from '../connections.js';
import { notSimulated } from '../not-simulated.js';
import { inputLines } from '../input-lines.js';
import { encodeCommand, ProtocolError, readReply, splitWords, type Reply } from './resp.js';
import { REDIS_VERSION } from './connection-commands.js';
import { readServerUrl } from '../server-url.js';

interface CliOptions {
  host: string;
  port: number;
  password: string | undefined;
  user: string | undefined;
  database: string | undefined;
  raw: boolean | undefined;
  repeat: number;
  intervalMs: number;
  failsOnError: boolean;
  lastFromInput: boolean;
  quiet: boolean;
  command: string[];
}

/** @throws Error for an option that is not simulated */
function parse({ args, env, tty }: Process): CliOptions {
  const options: CliOptions = {
    host: '127.0.0.1',
    port: 6379,
    password: env['REDISCLI_AUTH'],
    user: undefined,
    database: undefined,
    raw: tty ? false : undefined,
    repeat: 1,
    intervalMs: 0,
    failsOnError: false,
    lastFromInput: false,
    quiet: env['REDISCLI_AUTH'] !== undefined,
    command: [],
  };
  const rest = args.slice(1);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-')) {
      options.command = [word, ...rest];
      break;
    }
    const take = (): string => rest.shift() ?? '';
    if (word === '-h') options.host = take();
    else if (word === '-p') options.port = Number(take());
    else if (word === '-a' || word === '--pass') options.password = take();
    else if (word === '--user') options.user = take();
    else if (word === '-n') options.database = take();
    else if (word === '-r') options.repeat = Number(take());
    else if (word === '-i') options.intervalMs = Number(take()) * 1000;
    else if (word === '-t') take();
    else if (word === '-u') readUrl(options, take());
    else if (word === '-e') options.failsOnError = true;
    else if (word === '-x') options.lastFromInput = true;
    else if (word === '--raw') options.raw = true;
    else if (word === '--no-raw') options.raw = false;
    else if (word === '--no-auth-warning') options.quiet = true;
    else if (!['-c', '-2', '--verbose'].includes(word)) throw new Error(word);
  }
  return options;
}

function readUrl(options: CliOptions, text: string): void {
  const url = readServerUrl(text);
  options.host = url.host;
  options.port = url.port ?? 6379;
  options.password = url.password ?? options.password;
  options.user = url.user ?? options.user;
  options.database = url.database ?? options.database;
}

/** redis-cli: one command, or those that it reads. */
export const redisCli: Program = async process => {
  const { stdout, stderr, args } = process;
  if (args[1] === '-v' || args[1] === '--version') {
    await stdout.write(`redis-cli ${REDIS_VERSION}\n`);
    return 0;
  }
  let options: CliOptions;
  try {
    options = parse(process);
  } catch (problem) {
    return notSimulated(process, `option ${(problem as Error).message}`);
  }
  const { host, port, password, user, database, quiet } = options;
  if (password !== undefined && !quiet)
    await stderr.write(
      "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n",
    );
  let connection: Connection | undefined;
  try {
    connection = await dial(process, host, port);
    for (const words of [
      ...(password === undefined ? [] : [['AUTH', ...(user === undefined ? [] : [user]), password]]),
      ...(database === undefined ? [] : [['SELECT', database]]),
    ]) {
      await ask(process, connection, words.map(toBytes), async reply => {
        if (reply.kind === 'error') await stderr.write(`${words[0] ?? ''} failed: ${reply.text}\n`);
      });
    }
    return options.command.length > 0
      ? await runCommand(process, connection, options)
      : await runInput(process, connection, options);
  } catch (problem) {
    const text = problemText(problem);
    if (text === undefined) throw problem;
    await stderr.write(
      connection === undefined ? `Could not connect to Redis at ${host}:${port}: ${text}\n` : `Error: ${text}\n`,
    );
    return 1;
  } finally {
    connection?.stream.destroy();
  }
};

function problemText(problem: unknown): string | undefined {
  if (problem instanceof NetworkError) return problem.text;
  if (problem instanceof UnknownHost) return 'Name or service not known';
  if (problem instanceof Gone) return 'Server closed the connection';
  return problem instanceof ProtocolError ? `Protocol error, ${problem.message}` : undefined;
}

const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

async function runCommand(process: Process, connection: Connection, options: CliOptions): Promise<number> {
  const { repeat, intervalMs, command, failsOnError, lastFromInput } = options;
  const words = command.map(toBytes);
  if (lastFromInput) {
    const pieces: string[] = [];
    for await (const line of inputLines(process)) pieces.push(line);
    words.push(toBytes(pieces.join('\n')));
  }
  for (let i = 0; i < repeat || repeat < 0; i++) {
    if (i > 0 && intervalMs > 0) await process.container.clock.sleep(intervalMs, process.signal);
    const failed = await ask(process, connection, words, async reply => {
      await print(process, reply, isText(words) ? { ...options, raw: true } : options);
      return reply.kind === 'error';
    });
    if (failsOnError && failed) return 1;
    if (isListening(words)) await listen(process, connection, options);
  }
  return 0;
}

/** Commands whose answer is a text of lines, which is shown as it is. */
const isText = ([name = '']: readonly string[]): boolean => ['INFO', 'CLIENT'].includes(name.toUpperCase());

const isListening = (words: readonly string[]): boolean => words[0]?.toUpperCase() === 'SUBSCRIBE';

async function listen(process: Process, connection: Connection, options: CliOptions): Promise<void> {
  try {
    for (;;) await receive(process, connection, reply => print(process, reply, options));
  } catch (problem) {
    if (!(problem instanceof Gone)) throw problem;
  }
}

async function runInput(process: Process, connection: Connection, options: CliOptions): Promise<number> {
  const prompt = process.tty ? `${options.host}:${options.port}> ` : '';
  await process.stdout.write(prompt);
  for await (const line of inputLines(process)) {
    const words = splitWords(toBytes(line));
    if (words === undefined) await process.stdout.write('Invalid argument(s)\n');
    else if (words[0] === 'exit' || words[0] === 'quit') return 0;
    else if (words.length > 0)
      await ask(process, connection, words, reply =>
        print(process, reply, isText(words) ? { ...options, raw: true } : options),
      );
    await process.stdout.write(prompt);
  }
  return 0;
}

async function ask<T>(
  process: Process,
  connection: Connection,
  words: readonly string[],
  use: (reply: Reply) => Promise<T>,
): Promise<T> {
  await connection.write(Buffer.from(encodeCommand(words), 'latin1'));
  return receive(process, connection, use);
}

/** The next answer, which counts as memory for as long as it is used. @throws Gone */
async function receive<T>(
  { container }: Process,
  { reader }: Connection,
  use: (reply: Reply) => Promise<T>,
): Promise<T> {
  const held = container.budget.memory.account();
  try {
    const reply = await readReply(reader, held);
    if (reply === undefined) throw new Gone();
    return await use(reply);
  } finally {
    held.close();
  }
}

async function print({ stdout, tty }: Process, reply: Reply, { raw }: CliOptions): Promise<void> {
  const text = (raw ?? !tty) ? `${rawText(reply)}\n` : formatted(reply, '');
  await stdout.write(Buffer.from(text, 'latin1'));
}

function rawText(reply: Reply): string {
  switch (reply.kind) {
    case 'integer':
      return String(reply.value);
    case 'nil':
    case 'none':
    case 'nil-array':
      return '';
    case 'array':
    case 'map':
    case 'set':
    case 'push':
      return reply.items.map(rawText).join('\n');
    default:
      return reply.text;
  }
}

const quoted = (text: string): string => {
  const escaped = text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
  // What no terminal shows is written as its number.
  return `"${escaped.replace(/[^ -~]/g, c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
};

function formatted(reply: Reply, indent: string): string {
  switch (reply.kind) {
    case 'simple':
      return `${reply.text}\n`;
    case 'error':
      return `(error) ${reply.text}\n`;
    case 'integer':
      return `(integer) ${reply.value}\n`;
    case 'bulk':
      return `${quoted(reply.text)}\n`;
    case 'nil':
    case 'none':
    case 'nil-array':
      return '(nil)\n';
    case 'array':
    case 'map':
    case 'set':
    case 'push': {
      if (reply.items.length === 0) return '(empty array)\n';
      const width = String(reply.items.length).length;
      const inner = `${indent}${' '.repeat(width + 2)}`;
      return reply.items
        .map((item, i) => `${i === 0 ? '' : indent}${String(i + 1).padStart(width)}) ${formatted(item, inner)}`)
        .join('');
    }
  }
}
