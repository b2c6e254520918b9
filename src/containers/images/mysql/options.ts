import type { Process } from '../../process.js';
import type { Target } from './client.js';

export interface ClientOptions {
  readonly target: Target;
  readonly execute: string | undefined;
  readonly skipNames: boolean;
  readonly table: boolean;
  readonly silent: boolean;
  readonly force: boolean;
  readonly version: boolean;
  readonly operands: readonly string[];
}

const SHORT: Readonly<Record<string, string>> = {
  h: 'host',
  P: 'port',
  u: 'user',
  e: 'execute',
  D: 'database',
  S: 'socket',
};
const WITH_VALUE = new Set([
  'host',
  'port',
  'user',
  'execute',
  'database',
  'socket',
  'protocol',
  'connect-timeout',
  'connect_timeout',
  'default-auth',
  'defaults-file',
  'defaults-extra-file',
  'default-character-set',
  'ssl-mode',
  'delimiter',
]);

/** Options of the family's clients: -uroot, -u root, --user=root, -psecret (a password is never a word of its own). */
export function parseClientOptions({ args, env, tty }: Process): ClientOptions {
  const values = new Map<string, string>();
  const operands: string[] = [];
  const rest = args.slice(1);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
      values.set(name, equals >= 0 ? word.slice(equals + 1) : WITH_VALUE.has(name) ? (rest.shift() ?? '') : '');
    } else if (!word.startsWith('-') || word === '-') operands.push(word);
    else
      for (let i = 1; i < word.length; i++) {
        const letter = word[i] ?? '';
        const name = SHORT[letter];
        if (letter === 'p') values.set('password', word.slice(i + 1));
        else if (name === undefined) {
          values.set(letter, '');
          continue;
        } else values.set(name, i + 1 < word.length ? word.slice(i + 1) : (rest.shift() ?? ''));
        break;
      }
  }
  const has = (...names: readonly string[]): boolean => names.some(name => values.has(name));
  return {
    target: {
      host: values.get('host') ?? env['MYSQL_HOST'] ?? 'localhost',
      port: Number(values.get('port') ?? env['MYSQL_TCP_PORT'] ?? '3306'),
      user: values.get('user') ?? 'root',
      password: values.get('password') ?? env['MYSQL_PWD'] ?? '',
      database: values.get('database'),
    },
    execute: values.get('execute'),
    skipNames: has('N', 'skip-column-names'),
    table: has('t', 'table') || (tty && !has('B', 'batch', 's', 'silent')),
    silent: has('s', 'silent'),
    force: has('f', 'force'),
    version: has('V', 'version'),
    operands,
  };
}
