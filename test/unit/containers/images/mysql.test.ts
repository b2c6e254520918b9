import t from 'tap';
import { runImage } from '../../../support/running-image.js';
import { testCommands, type Row } from './commands.js';

const rows: readonly Row[] = [
  { run: 'mysqladmin ping', stdout: 'mysqld is alive\n' },
  { run: 'mysqladmin ping -h localhost -u root -psecret', stdout: 'mysqld is alive\n' },
  { run: 'mysqladmin ping -h 127.0.0.1 --silent', stdout: '' },
  { run: 'mysqladmin -uroot -psecret status', stdout: /^Uptime: \d+ {2}Threads: 1/ },
  {
    run: 'mysqladmin ping -P 3307',
    stderr: /connect to server at 'localhost' failed\nerror: 'Can't connect to local/,
    exit: 1,
  },
  { run: 'mysql -uroot -psecret -e "SELECT 1"', stdout: '1\n1\n' },
  { run: 'mysql -uroot -psecret -N -e "SELECT 1 + 1, \'a\', NULL"', stdout: '2\ta\tNULL\n' },
  { run: 'mysql -uroot -psecret -t -e "SELECT 1 AS one"', stdout: '+-----+\n| one |\n+-----+\n| 1   |\n+-----+\n' },
  {
    run: 'mysql -h 10.244.1.5 -u app --password=pw shop -Ne "select database(), current_user()"',
    stdout: 'shop\tapp@%\n',
  },
  { run: 'mysql -uroot -psecret -Ne "show databases like \'shop\'"', stdout: 'shop\n' },
  { run: 'mysql -uroot -psecret -Ne "show variables like \'port\'"', stdout: 'port\t3306\n' },
  { run: 'mysql -uroot -psecret -Ne "select @@read_only, @@global.max_connections"', stdout: '0\t151\n' },
  {
    run: "mysql -uroot -psecret -e \"create database other; create user 'jane'@'%' identified by 'x'; grant all on other.* to 'jane'@'%'\"",
  },
  { run: 'MYSQL_PWD=x mysql -u jane other -Ne "select user()"', stdout: /^jane@/ },
  { run: 'mysql -uroot -psecret -N', stdin: 'select 1;\nselect\n2;\n', stdout: '1\n2\n' },
  {
    run: 'mysql -uroot -psecret shop -e "create table t (a int)"',
    stderr: /ERROR 1235 \(42000\).*keeps no tables; see `kubette images`/,
    exit: 1,
  },
  {
    run: 'mysql -uroot -pwrong',
    stderr: /ERROR 1045 \(28000\): Access denied for user 'root'@'.*' \(using password: YES\)/,
    exit: 1,
  },
  { run: 'mysql -uroot -psecret nothing', stderr: /ERROR 1049 \(42000\): Unknown database 'nothing'/, exit: 1 },
  { run: 'mysql -h nowhere', stderr: /ERROR 2005 \(HY000\)/, exit: 1 },
  { run: 'nc -w 1 127.0.0.1 3306', stdin: 'GET / HTTP/1.1\r\n\r\n', stdout: /^.{4}\n(?:8|11)\./s },
];

const ENV = { MYSQL_ROOT_PASSWORD: 'secret', MYSQL_DATABASE: 'shop', MYSQL_USER: 'app', MYSQL_PASSWORD: 'pw' };

testCommands([
  { image: 'mysql', env: ENV, ready: 'mysqladmin ping', rows },
  {
    image: 'mariadb',
    env: ENV,
    ready: 'healthcheck.sh --connect --innodb_initialized',
    rows: [
      ...rows,
      { run: 'mariadb-admin ping', stdout: 'mysqld is alive\n' },
      { run: 'mariadb -uroot -psecret -Ne "select version()"', stdout: /^11\..*MariaDB/ },
    ],
  },
  {
    image: 'bitnami/mysql',
    env: { ALLOW_EMPTY_PASSWORD: 'yes' },
    ready: 'mysqladmin ping',
    rows: [{ run: 'mysql -Ne "select 1"', stdout: '1\n' }],
  },
]);

t.test('who does not start', async t => {
  for (const image of ['mysql', 'mariadb', 'bitnami/mysql', 'bitnami/mariadb']) {
    const { exit, logs } = await runImage(image);
    t.equal(exit, 1, image);
    t.match(logs, /ROOT_PASSWORD/, image);
  }
});
