import type { Process, Program } from '../../process.js';
import { lazy } from '../lazy.js';
import { secretEnv } from '../secret-env.js';
import type { Catalog } from '../sql/catalog.js';
import type { KnownImage } from '../types.js';

const NO_PASSWORD = `Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html
`;

async function serve(process: Process, { user, database, password, trusts }: Settings): Promise<number> {
  const { postgresServer } = await import('./server.js');
  const catalog: Catalog = {
    databases: new Set(['postgres', 'template0', 'template1', database]),
    roles: new Map([
      ['postgres', undefined],
      [user, password === '' ? undefined : password],
    ]),
  };
  return postgresServer(catalog, trusts)(process);
}

interface Settings {
  readonly user: string;
  readonly database: string;
  readonly password: string;
  readonly trusts: boolean;
}

/** The official image's: without a password, or the word that none is wanted, it does not start. */
const entrypoint: Program = async process => {
  const [first = 'postgres', ...rest] = process.args.slice(1);
  const args = first.startsWith('-') ? ['postgres', first, ...rest] : [first, ...rest];
  const { container, env, stderr } = process;
  const program = await container.program(args[0] ?? '');
  if (program === undefined) {
    await stderr.write(`/usr/local/bin/docker-entrypoint.sh: exec: ${first}: not found\n`);
    return 127;
  }
  container.processes.get(process.pid)?.become(args);
  if (args[0] !== 'postgres') return program({ ...process, args });
  const user = (await secretEnv(process, 'POSTGRES_USER')) || 'postgres';
  const password = await secretEnv(process, 'POSTGRES_PASSWORD');
  const trusts = env['POSTGRES_HOST_AUTH_METHOD'] === 'trust';
  if (password === '' && !trusts) {
    await stderr.write(NO_PASSWORD);
    return 1;
  }
  const database = (await secretEnv(process, 'POSTGRES_DB')) || user;
  return serve({ ...process, args }, { user, database, password, trusts });
};

/** bitnami's: names of its own, and of the official image. */
const bitnamiRun: Program = async process => {
  const read = async (...names: readonly string[]): Promise<string> => {
    for (const name of names) {
      const value = await secretEnv(process, name);
      if (value !== '') return value;
    }
    return '';
  };
  const password = await read('POSTGRESQL_PASSWORD', 'POSTGRES_PASSWORD', 'POSTGRESQL_POSTGRES_PASSWORD');
  const trusts = /^(yes|true|1)$/i.test(process.env['ALLOW_EMPTY_PASSWORD'] ?? '');
  if (password === '' && !trusts) {
    await process.stdout.write(
      'ERROR ==> The POSTGRESQL_PASSWORD environment variable is empty or not set. Set the environment variable ALLOW_EMPTY_PASSWORD=yes to allow the container to be started with blank passwords. This is recommended only for development.\n',
    );
    return 1;
  }
  const user = (await read('POSTGRESQL_USERNAME', 'POSTGRES_USER')) || 'postgres';
  const database = (await read('POSTGRESQL_DATABASE', 'POSTGRES_DB')) || 'postgres';
  return serve({ ...process, args: ['postgres'] }, { user, database, password, trusts });
};

const clients = {
  psql: lazy(async () => (await import('./psql.js')).psql),
  pg_isready: lazy(async () => (await import('./pg-isready.js')).pgIsReady),
};

const ABOUT =
  'the PostgreSQL protocol: databases, roles and passwords; SELECT of what needs no table, as no table is kept';

const official = (names: readonly string[]): KnownImage => ({
  names,
  about: `${ABOUT}; wants POSTGRES_PASSWORD`,
  ports: ['5432'],
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['postgres'],
  env: { PGDATA: '/var/lib/postgresql/data', PG_MAJOR: '17' },
  programs: { 'docker-entrypoint.sh': entrypoint, ...clients, postgres: entrypoint },
  userland: true,
});

export const postgresImages: readonly KnownImage[] = [
  official(['postgres', 'postgis', 'pgvector', 'timescaledb']),
  {
    ...official(['bitnami/postgresql', 'bitnamilegacy/postgresql', 'postgresql']),
    about: `${ABOUT}; wants POSTGRESQL_PASSWORD or ALLOW_EMPTY_PASSWORD`,
    entrypoint: ['/opt/bitnami/scripts/postgresql/entrypoint.sh'],
    cmd: ['/opt/bitnami/scripts/postgresql/run.sh'],
    user: 1001,
    programs: {
      'entrypoint.sh': lazy(async () => (await import('../docker-entrypoint.js')).dockerEntrypoint('run.sh')),
      'run.sh': bitnamiRun,
      ...clients,
    },
    files: { '/opt/bitnami/postgresql/tmp/.initialized': '' },
  },
];
