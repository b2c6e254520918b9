import t from 'tap';
import { runImage } from '../../../support/running-image.js';
import { testCommands } from './commands.js';

const SECRET = { POSTGRES_PASSWORD: 'secret' };

testCommands([
  {
    image: 'postgres',
    env: { ...SECRET, POSTGRES_USER: 'app', POSTGRES_DB: 'shop' },
    ready: 'pg_isready',
    rows: [
      { run: 'pg_isready', stdout: '/var/run/postgresql:5432 - accepting connections\n' },
      { run: 'pg_isready -U app -d shop -h 127.0.0.1 -p 5432', stdout: '127.0.0.1:5432 - accepting connections\n' },
      { run: 'exec pg_isready -q', stdout: '' },
      { run: 'pg_isready -p 5433', stdout: '/var/run/postgresql:5433 - no response\n', exit: 2 },
      { run: 'pg_isready -h nowhere', stdout: 'nowhere:5432 - no response\n', exit: 2 },
      {
        run: "psql -U app shop -c 'select 1'",
        stdout: ' ?column? \n----------\n        1\n(1 row)\n\n',
      },
      { run: "psql -U app -d shop -tAc 'SELECT 1'", stdout: '1\n' },
      { run: 'psql -U app shop -tAc "select \'a b\' as text, 1 + 2 * 3, null, true"', stdout: 'a b|9||t\n' },
      { run: "psql -U app shop -tAc 'select version()'", stdout: /^PostgreSQL 17/ },
      { run: "psql -U app shop -tAc 'select current_user, current_database()'", stdout: 'app|shop\n' },
      { run: "psql -U app shop -tAc 'select pg_is_in_recovery()'", stdout: 'f\n' },
      { run: "psql -U app shop -tAc 'show server_version'", stdout: '17.6\n' },
      {
        run: "psql -U app shop -c 'create database other; create role jane password \\'x\\''".replaceAll(
          "\\'",
          `'"'"'`,
        ),
        stdout: 'CREATE DATABASE\nCREATE ROLE\n',
      },
      { run: 'psql -U app shop -tAc "SELECT 1 FROM pg_database WHERE datname = \'other\'"', stdout: '1\n' },
      { run: 'psql -U app shop -tAc "SELECT count(*) FROM pg_roles WHERE rolname=\'nobody\'"', stdout: '0\n' },
      { run: 'psql -U jane other -tAc "SELECT current_user"', stdout: 'jane\n' },
      { run: 'psql -U app shop -At', stdin: 'select 1;\n-- a comment\nselect\n 2;\n\\q\n', stdout: '1\n2\n' },
      { run: 'psql -U app shop -l -At', stdout: 'postgres\ntemplate0\ntemplate1\nshop\nother\n' },
      {
        run: "psql -U app shop -c 'create table t (a int)'",
        stderr: /^ERROR: {2}CREATE TABLE: not simulated, this server keeps no tables; see `kubette images`/,
        exit: 1,
      },
      { run: "psql -U app shop -c 'select * from t'", stderr: /relation "t": not simulated/, exit: 1 },
      { run: "psql -U app shop -c 'selec 1'", stderr: /^ERROR/, exit: 1 },
      { run: "psql -U app shop -c 'select (1'", stderr: /^ERROR: {2}syntax error/, exit: 1 },
      { run: 'psql -U app shop -c "select \'x"', stderr: /unterminated quoted string/, exit: 1 },
      { run: 'psql -U app shop -v ON_ERROR_STOP=1', stdin: 'nonsense;\nselect 1;\n', stderr: /^ERROR/, exit: 3 },
      { run: 'psql -U nobody shop', stderr: /FATAL: {2}role "nobody" does not exist/, exit: 2 },
      { run: 'psql -U app nothing', stderr: /FATAL: {2}database "nothing" does not exist/, exit: 2 },
      { run: 'psql -h nowhere', stderr: /could not translate host name "nowhere"/, exit: 2 },
      { run: 'psql -p 5433', stderr: /\.s\.PGSQL\.5433" failed: No such file/, exit: 2 },
      // Behind the Pod's own address nobody is trusted.
      { run: 'psql -h 10.244.1.5 -U app shop', stderr: /no password supplied/, exit: 2 },
      {
        run: 'PGPASSWORD=no psql -h 10.244.1.5 -U app shop',
        stderr: /password authentication failed for user "app"/,
        exit: 2,
      },
      { run: 'PGPASSWORD=secret psql -h 10.244.1.5 -U app shop -tAc "select 1"', stdout: '1\n' },
      { run: 'psql postgres://app:secret@10.244.1.5:5432/shop -tAc "select 1"', stdout: '1\n' },
      { run: 'psql -U app shop -tAc "select $(printf -- \'-%.0s\' $(seq 1 2000))1"', stderr: /^ERROR/, exit: 1 },
    ],
  },
  {
    name: 'postgres that trusts everybody',
    image: 'postgres',
    env: { POSTGRES_HOST_AUTH_METHOD: 'trust' },
    args: ['-c', 'max_connections=10', '-p', '6000'],
    ready: 'pg_isready -p 6000',
    rows: [{ run: 'psql -h 10.244.1.5 -p 6000 -U postgres -tAc "select 1"', stdout: '1\n' }],
  },
  {
    image: 'bitnami/postgresql',
    env: { POSTGRESQL_PASSWORD: 'x', POSTGRESQL_DATABASE: 'shop' },
    ready: 'exec pg_isready -U "postgres" -d "dbname=shop" -h 127.0.0.1 -p 5432',
    rows: [{ run: 'PGPASSWORD=x psql -U postgres -d shop -h 10.244.1.5 -tAc "select 1"', stdout: '1\n' }],
  },
]);

t.test('who does not start', async t => {
  const table = [
    { name: 'postgres without a password', image: 'postgres', expect: /superuser password is not specified/, exit: 1 },
    { name: 'bitnami without a password', image: 'bitnami/postgresql', expect: /POSTGRESQL_PASSWORD/, exit: 1 },
    {
      name: 'postgres with another command',
      image: 'postgres',
      args: ['frobnicate'],
      expect: /exec: frobnicate: not found/,
      exit: 127,
    },
    {
      name: 'postgres with a tool',
      image: 'postgres',
      args: ['psql', '--version'],
      expect: /psql \(PostgreSQL\) 17/,
      exit: 0,
    },
  ];
  for (const { name, image, expect, exit, args = undefined } of table) {
    const ended = await runImage(image, args === undefined ? {} : { args });
    t.equal(ended.exit, exit, name);
    t.match(ended.logs, expect, name);
  }
});
