import t from 'tap';
import { runImage, startImage } from '../../../support/running-image.js';
import { until } from '../../../support/until.js';
import { testCommands } from './commands.js';

testCommands([
  {
    image: 'redis',
    ready: 'redis-cli ping',
    rows: [
      { run: 'redis-cli ping', stdout: 'PONG\n' },
      { run: 'redis-cli ping | grep PONG', stdout: 'PONG\n' },
      { run: 'redis-cli -h 127.0.0.1 -p 6379 set greeting "hello world"', stdout: 'OK\n' },
      { run: 'redis-cli get greeting', stdout: 'hello world\n' },
      { run: 'redis-cli --no-raw get greeting', stdout: '"hello world"\n' },
      { run: 'redis-cli get nothing', stdout: '\n' },
      { run: 'redis-cli --no-raw get nothing', stdout: '(nil)\n' },
      { run: 'redis-cli incr n; redis-cli incrby n 41; redis-cli --no-raw decr n', stdout: '1\n42\n(integer) 41\n' },
      { run: 'redis-cli incr greeting', stdout: 'ERR value is not an integer or out of range\n' },
      { run: 'redis-cli -e incr greeting', stdout: /^ERR/, exit: 1 },
      { run: 'redis-cli lpush l a b; redis-cli rpush l c; redis-cli lrange l 0 -1', stdout: '2\n3\nb\na\nc\n' },
      { run: 'redis-cli rpop l; redis-cli llen l; redis-cli lrange l -1 -1', stdout: 'c\n2\na\n' },
      { run: 'redis-cli rpoplpush l done; redis-cli lindex done 0', stdout: 'a\na\n' },
      { run: 'redis-cli get l', stdout: /^WRONGTYPE/ },
      { run: 'redis-cli hset h a 1 b 2; redis-cli --no-raw hgetall h', stdout: '2\n1) "a"\n2) "1"\n3) "b"\n4) "2"\n' },
      { run: 'redis-cli hincrby h a 4; redis-cli hdel h b; redis-cli hkeys h', stdout: '5\n1\na\n' },
      { run: 'redis-cli sadd s x y x; redis-cli srem s x; redis-cli smembers s', stdout: '2\n1\ny\n' },
      {
        run: 'redis-cli set k v ex 100; redis-cli ttl k; redis-cli ttl n; redis-cli ttl none',
        stdout: 'OK\n100\n-1\n-2\n',
      },
      { run: 'redis-cli set k w nx; redis-cli set k w xx get', stdout: '\nv\n' },
      { run: 'redis-cli setnx k z; redis-cli append k "!"; redis-cli strlen k', stdout: '0\n2\n2\n' },
      { run: 'redis-cli exists k n none; redis-cli del k none; redis-cli type l', stdout: '2\n1\nlist\n' },
      { run: 'redis-cli keys "g*"; redis-cli keys "?"; redis-cli dbsize', stdout: 'greeting\nn\nl\nh\ns\n6\n' },
      { run: 'redis-cli --no-raw scan 0 match "gre*"', stdout: '1) "0"\n2) 1) "greeting"\n' },
      { run: 'redis-cli info server', stdout: /redis_version:7/ },
      { run: 'redis-cli info replication | grep role', stdout: /^role:master/ },
      { run: 'redis-cli config get maxmemory', stdout: 'maxmemory\n0\n' },
      { run: 'redis-cli -n 1 set other 1; redis-cli -n 1 keys "*"; redis-cli get other', stdout: 'OK\nother\n\n' },
      {
        run: 'redis-cli',
        stdin: 'set a "b c"\nmulti\nget a\nincr n\nexec\n',
        stdout: 'OK\nOK\nQUEUED\nQUEUED\nb c\n42\n',
      },
      { run: 'printf "PING\\r\\n" | nc -w 1 127.0.0.1 6379', stdout: '+PONG\r\n' },
      { run: 'redis-cli --no-raw info replication', stdout: /^# Replication\r\nrole:master\r\n/ },
      {
        run: 'printf "HELLO 3\\r\\nHGETALL h\\r\\nGET none\\r\\nSMEMBERS s\\r\\nQUIT\\r\\n" | nc -w 5 127.0.0.1 6379',
        stdout: /^%7\r\n[^]*\r\n%1\r\n\$1\r\na\r\n\$1\r\n5\r\n_\r\n~1\r\n\$1\r\ny\r\n\+OK\r\n$/,
      },
      { run: 'redis-cli frobnicate 1', stdout: /^ERR unknown command 'frobnicate'/ },
      { run: 'redis-cli get', stdout: "ERR wrong number of arguments for 'get' command\n" },
      { run: 'redis-cli flushall; redis-cli dbsize', stdout: 'OK\n0\n' },
      {
        run: 'redis-cli -p 6380 ping',
        stderr: /Could not connect to Redis at 127\.0\.0\.1:6380: Connection refused/,
        exit: 1,
      },
      { run: 'redis-cli -h nowhere ping', stderr: /Could not connect to Redis at nowhere:6379/, exit: 1 },
    ],
  },
  {
    name: 'redis with a password',
    image: 'redis',
    args: ['--requirepass', 'secret', '--port', '7000', '--save', ''],
    ready: 'redis-cli -p 7000 ping',
    rows: [
      { run: 'redis-cli -p 7000 ping', stdout: 'NOAUTH Authentication required.\n' },
      { run: 'redis-cli -p 7000 -a secret ping', stdout: 'PONG\n', stderr: /Using a password/ },
      { run: 'REDISCLI_AUTH=secret redis-cli -p 7000 ping', stdout: 'PONG\n', stderr: /^$/ },
      { run: 'redis-cli -u redis://default:secret@127.0.0.1:7000 ping', stdout: 'PONG\n' },
      { run: 'redis-cli -p 7000 -a wrong ping', stdout: /^NOAUTH/, stderr: /AUTH failed: WRONGPASS/ },
    ],
  },
  {
    name: 'redis with a file of settings',
    image: 'redis',
    command: ['redis-server', '/etc/redis.conf'],
    files: { '/etc/redis.conf': '# comment\nport 6400\nrequirepass "a b"\n' },
    ready: 'redis-cli -p 6400 ping',
    rows: [{ run: 'redis-cli -p 6400 --no-auth-warning -a "a b" ping', stdout: 'PONG\n' }],
  },
  {
    image: 'bitnami/redis',
    env: { REDIS_PASSWORD: 'pw' },
    ready: 'redis-cli ping',
    rows: [{ run: 'redis-cli --no-auth-warning -a pw ping', stdout: 'PONG\n' }],
  },
  { image: 'valkey/valkey', ready: 'valkey-cli ping', rows: [{ run: 'valkey-cli ping', stdout: 'PONG\n' }] },
]);

t.test('bitnami/redis wants a password', async t => {
  const { exit, logs } = await runImage('bitnami/redis');
  t.equal(exit, 1);
  t.match(logs, /REDIS_PASSWORD environment variable is empty/);
});

t.test('what is published comes to who has subscribed', async t => {
  const running = await startImage('redis');
  t.teardown(() => running.stop());
  await until('redis', async () => (await running.run(['redis-cli', 'ping'])).exit === 0);
  void running.run(['sh', '-c', 'redis-cli subscribe news > /tmp/heard']);
  await until('heard', async () => (await running.run(['redis-cli', 'publish', 'news', 'hello'])).stdout === '1\n');
  const heard = async (): Promise<string> => (await running.run(['cat', '/tmp/heard'])).stdout;
  await until('written', async () => (await heard()).includes('hello'));
  t.equal(await heard(), 'subscribe\nnews\n1\nmessage\nnews\nhello\n');
});

const HOSTILE = [
  {
    name: 'a bulk string without end',
    send: '*1\r\n$999999999\r\n',
    expect: /^-ERR Protocol error: invalid bulk length/,
  },
  {
    name: 'more arguments than anybody has',
    send: '*999999999\r\n',
    expect: /^-ERR Protocol error: invalid multibulk/,
  },
  { name: 'no number', send: '*x\r\n', expect: /^-ERR Protocol error: invalid multibulk/ },
  { name: 'no bulk string', send: '*1\r\n:1\r\n', expect: /^-ERR Protocol error: expected '\$', got ':'/ },
  { name: 'a line without end', send: 'a'.repeat(70_000), expect: /^-ERR Protocol error: too big/ },
  { name: 'a quote without end', send: 'SET "a\r\n', expect: /^-ERR Protocol error: unbalanced quotes/ },
];
for (const { name, send, expect } of HOSTILE)
  t.test(`redis refuses ${name}`, async t => {
    const running = await startImage('redis');
    t.teardown(() => running.stop());
    await until('redis', async () => (await running.run(['redis-cli', 'ping'])).exit === 0);
    const { stdout } = await running.run(['nc', '-w', '5', '127.0.0.1', '6379'], send);
    t.match(stdout, expect);
    t.equal((await running.run(['redis-cli', 'ping'])).stdout, 'PONG\n', 'it lives');
  });

t.test('who stores without end has it killed', async t => {
  const running = await startImage('redis', { memoryLimit: 8 * 1024 * 1024 });
  t.teardown(() => running.stop());
  await until('redis', async () => (await running.run(['redis-cli', 'ping'])).exit === 0);
  const value = 'x'.repeat(64 * 1024);
  const commands = Array.from(
    { length: 200 },
    (_, i) => `*3\r\n$3\r\nSET\r\n$4\r\nk${100 + i}\r\n$${value.length}\r\n${value}\r\n`,
  );
  void running.run(['nc', '127.0.0.1', '6379'], commands.join(''));
  t.equal(await running.container.exited, 137);
  t.ok(running.container.outOfMemory());
});
