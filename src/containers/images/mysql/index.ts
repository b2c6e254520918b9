import { randomBytes } from 'node:crypto';
import type { Program } from '../../process.js';
import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import { secretEnv } from '../secret-env.js';
import type { Catalog } from '../sql/catalog.js';
import type { KnownImage } from '../types.js';
import type { Plugin } from './auth.js';

/** What tells the family's members apart. */
interface Member {
  readonly name: 'mysql' | 'mariadb';
  readonly version: string;
  readonly plugin: Plugin;
  readonly daemon: string;
  /** Prefixes of its settings in the environment. */
  readonly prefixes: readonly string[];
  /** What is said where no password is given. */
  readonly noPassword: string;
}

const MYSQL: Member = {
  name: 'mysql',
  version: '8.4.6',
  plugin: 'caching_sha2_password',
  daemon: 'mysqld',
  prefixes: ['MYSQL'],
  noPassword: `[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - MYSQL_ROOT_PASSWORD
    - MYSQL_ALLOW_EMPTY_PASSWORD
    - MYSQL_RANDOM_ROOT_PASSWORD
`,
};

const MARIADB: Member = {
  name: 'mariadb',
  version: '11.8.3-MariaDB',
  plugin: 'mysql_native_password',
  daemon: 'mariadbd',
  prefixes: ['MARIADB', 'MYSQL'],
  noPassword: `[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
	You need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD
`,
};

const SYSTEM = ['information_schema', 'mysql', 'performance_schema', 'sys'];

/** Reads what the image is told by its environment, and serves. `noPassword` is said where it would be open to everybody. */
const server =
  ({ prefixes, plugin, version }: Member, noPassword: string): Program =>
  async process => {
    const read = async (name: string): Promise<string> => {
      for (const prefix of prefixes) {
        const value = await secretEnv(process, `${prefix}_${name}`);
        if (value !== '') return value;
      }
      return '';
    };
    const random = (await read('RANDOM_ROOT_PASSWORD')) === '' ? '' : randomBytes(18).toString('base64');
    const root = (await read('ROOT_PASSWORD')) || random;
    const open = [
      process.env['ALLOW_EMPTY_PASSWORD'] ?? '',
      await read('ALLOW_EMPTY_PASSWORD'),
      await read('ALLOW_EMPTY_ROOT_PASSWORD'),
    ];
    if (root === '' && open.every(word => word === '' || /^(?:no|0|false)$/i.test(word))) {
      await process.stderr.write(`${new Date(process.container.clock.now()).toISOString()} ${noPassword}`);
      return 1;
    }
    if (random !== '') await process.stdout.write(`[Entrypoint]: GENERATED ROOT PASSWORD: ${random}\n`);
    const database = await read('DATABASE');
    const user = await read('USER');
    const catalog: Catalog = {
      databases: new Set([...SYSTEM, ...(database === '' ? [] : [database])]),
      roles: new Map([['root', root], ...(user === '' ? [] : [[user, await read('PASSWORD')] as const])]),
    };
    const { mysqlServer } = await import('./server.js');
    return mysqlServer({ catalog, version, plugin })(process);
  };

/** mariadb's healthcheck.sh --connect, --innodb_initialized: whether the server answers. */
const healthcheck: Program = async process => {
  const { mysqladmin } = await import('./mysqladmin.js');
  return mysqladmin({ ...process, args: ['mariadb-admin', 'ping', '--silent'] });
};

function clients({ name, version }: Member): KnownImage['programs'] {
  const client = lazy(async () => (await import('./mysql.js')).mysqlClient(version));
  const admin = lazy(async () => (await import('./mysqladmin.js')).mysqladmin);
  const own = { mysql: client, mysqladmin: admin };
  return name === 'mysql' ? own : { ...own, mariadb: client, 'mariadb-admin': admin, 'healthcheck.sh': healthcheck };
}

const ABOUT = 'the MySQL protocol: databases, users and passwords; SELECT of what needs no table, as no table is kept';

const official = (member: Member, names: readonly string[]): KnownImage => {
  const daemon = server(member, member.noPassword);
  return {
    names,
    about: `${ABOUT}; wants ${member.prefixes[0] ?? ''}_ROOT_PASSWORD`,
    ports: ['3306'],
    entrypoint: ['docker-entrypoint.sh'],
    cmd: [member.daemon],
    programs: {
      'docker-entrypoint.sh': dockerEntrypoint(member.daemon),
      mysqld: daemon,
      [member.daemon]: daemon,
      ...clients(member),
    },
    userland: true,
  };
};

const bitnami = (member: Member): KnownImage => {
  const [prefix = ''] = member.prefixes;
  const noPassword = `ERROR ==> The ${prefix}_ROOT_PASSWORD environment variable is empty or not set. Set the environment variable ALLOW_EMPTY_PASSWORD=yes to allow the container to be started with blank passwords. This is recommended only for development.\n`;
  return {
    ...official(member, [`bitnami/${member.name}`, `bitnamilegacy/${member.name}`]),
    about: `${ABOUT}; wants ${prefix}_ROOT_PASSWORD or ALLOW_EMPTY_PASSWORD`,
    entrypoint: [`/opt/bitnami/scripts/${member.name}/entrypoint.sh`],
    cmd: [`/opt/bitnami/scripts/${member.name}/run.sh`],
    user: 1001,
    programs: {
      'entrypoint.sh': dockerEntrypoint('run.sh'),
      'run.sh': server(member, noPassword),
      ...clients(member),
    },
  };
};

export const mysqlImages: readonly KnownImage[] = [
  official(MYSQL, ['mysql', 'mysql-server', 'percona']),
  official(MARIADB, ['mariadb']),
  bitnami(MYSQL),
  bitnami(MARIADB),
];
