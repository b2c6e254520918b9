import type { Program } from '../../process.js';
import type { Connection } from '../connections.js';
import { notSimulated } from '../not-simulated.js';
import { ask, command, connect, connectionProblem, ServerError } from './client.js';
import { parseClientOptions } from './options.js';

const STATISTICS = 9;
const ACCESS_DENIED = 1045;

/** mysqladmin ping, status, version, create NAME, drop NAME, extended-status. */
export const mysqladmin: Program = async process => {
  const { stdout, stderr, args } = process;
  const name = args[0]?.split('/').at(-1) ?? 'mysqladmin';
  const { target, operands, silent } = parseClientOptions(process);
  const [what = '', argument = ''] = operands;
  let connection: Connection | undefined;
  try {
    connection = await connect(process, target);
    switch (what) {
      case 'ping':
        if (!silent) await stdout.write('mysqld is alive\n');
        return 0;
      case 'status':
        await stdout.write(`${await command(connection, STATISTICS)}\n`);
        return 0;
      case 'version': {
        const set = await ask(connection, 'select version()', process.memory);
        await stdout.write(`Server version\t\t${set?.rows[0]?.[0] ?? ''}\n`);
        return 0;
      }
      case 'create':
      case 'drop':
        await ask(connection, `${what} database \`${argument.replaceAll('`', '``')}\``, process.memory);
        return 0;
      default:
        return await notSimulated(process, `command '${what}'`);
    }
  } catch (error) {
    // A server that refuses is one that lives.
    if (what === 'ping' && error instanceof ServerError && error.number === ACCESS_DENIED) {
      if (!silent) await stdout.write('mysqld is alive\n');
      return 0;
    }
    const problem = connectionProblem(error, target);
    if (problem === undefined) throw error;
    const text = problem.replace(/^ERROR \d+ \(\w+\): /, '');
    await stderr.write(`${name}: connect to server at '${target.host}' failed\nerror: '${text}'\n`);
    return 1;
  } finally {
    connection?.stream.destroy();
  }
};
