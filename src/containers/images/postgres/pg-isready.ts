import { NetworkError } from '../../network/errors.js';
import type { Program } from '../../process.js';
import { parseOptions } from '../../programs/options.js';
import { Gone, UnknownHost } from '../connections.js';
import { defined, open, receive, targetOf, targetText } from './client.js';
import { errorFields, startup } from './messages.js';
import { PG_VERSION } from './sql.js';

/** The server is starting or stopping (SQLSTATE cannot_connect_now). */
const CANNOT_CONNECT_NOW = '57P03';

/** pg_isready [-h HOST] [-p PORT] [-U USER] [-d NAME] [-t SECONDS] [-q]: 0 accepting, 1 rejecting, 2 no response. */
export const pgIsReady: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'h:p:U:d:t:qV',
    long: { host: 'h:', port: 'p:', username: 'U:', dbname: 'd:', timeout: 't:', quiet: 'q', version: 'V' },
  });
  if (options.has('V')) {
    await process.stdout.write(`pg_isready (PostgreSQL) ${PG_VERSION}\n`);
    return 0;
  }
  const port = options.get('p');
  const target = targetOf(
    process.env,
    defined({ host: options.get('h'), port: port === undefined ? undefined : Number(port), user: options.get('U') }),
    options.get('d'),
  );
  const say = async (text: string, code: number): Promise<number> => {
    if (!options.has('q')) await process.stdout.write(`${targetText(target)} - ${text}\n`);
    return code;
  };
  try {
    const connection = await open(process, target);
    try {
      await connection.write(startup({ user: target.user, database: target.database ?? target.user }));
      const { letter, body } = await receive(connection);
      const rejects = letter === 'E' && errorFields(body)['C'] === CANNOT_CONNECT_NOW;
      return await (rejects ? say('rejecting connections', 1) : say('accepting connections', 0));
    } finally {
      connection.stream.destroy();
    }
  } catch (error) {
    if (error instanceof NetworkError || error instanceof UnknownHost || error instanceof Gone)
      return say('no response', 2);
    throw error;
  }
};
