import type { UserInfo } from '../../../api/strategy.js';
import { CsvError, parseCsv } from './csv.js';
import { NONE, type TokenAuthenticator } from './authenticator.js';

/** A token file that cannot be used. `message` is one line, as kube-apiserver prints it. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
}

/**
 * The text of `--token-auth-file`: CSV records of token, user, uid and, optionally, "group1,group2".
 * `warn` is told of records that are not used.
 * @throws TokenFileError
 */
export function parseTokenFile(
  path: string,
  text: string,
  warn: (message: string) => void = () => undefined,
): ReadonlyMap<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  let number = 0;
  try {
    for (const record of parseCsv(text)) {
      const [token = '', name = '', uid = '', groups] = record;
      if (record.length < 3) {
        throw new TokenFileError(
          `token file '${path}' must have at least 3 columns (token, user name, user uid), found ${record.length}`,
        );
      }
      number++;
      if (token === '') {
        warn(`empty token has been found in token file '${path}', record number '${number}'`);
        continue;
      }
      if (users.has(token)) warn(`duplicate token has been found in token file '${path}', record number '${number}'`);
      users.set(token, { name, groups: groups === undefined ? [] : groups.split(','), ...(uid === '' ? {} : { uid }) });
    }
  } catch (error) {
    if (error instanceof CsvError) throw new TokenFileError(error.message, { cause: error });
    throw error;
  }
  return users;
}

/** Static tokens say nothing of audiences: they are good for the API server's own. */
export const tokenFileAuthenticator =
  (users: ReadonlyMap<string, UserInfo>, apiAudiences: readonly string[]): TokenAuthenticator =>
  (token, audiences) => {
    const user = users.get(token);
    const shared = audiences.filter(audience => apiAudiences.includes(audience));
    return user === undefined || shared.length === 0 ? NONE : { kind: 'user', user, audiences: shared };
  };
