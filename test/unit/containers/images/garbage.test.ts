import t from 'tap';
import { seededRandom } from '../../../../src/machinery/random.js';
import { startImage, type ImageFixture } from '../../../support/running-image.js';
import { until } from '../../../support/until.js';

t.setTimeout(180_000);

interface Case extends ImageFixture {
  readonly image: string;
  readonly port: number;
  /** What a client begins with, to be damaged. */
  readonly begins: Buffer;
  /** Exits with 0 for as long as it serves. */
  readonly lives: string;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const CASES: readonly Case[] = [
  {
    image: 'redis',
    port: 6379,
    begins: bytes('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*2\r\n$4\r\nKEYS\r\n$3\r\n[a-\r\n'),
    lives: '[ "$(redis-cli ping)" = PONG ]',
  },
  { image: 'memcached', port: 11211, begins: bytes('set k 0 0 1\r\nx\r\ngets k\r\n'), lives: 'nc -z 127.0.0.1 11211' },
  {
    image: 'postgres',
    env: { POSTGRES_PASSWORD: 'x' },
    port: 5432,
    begins: bytes(
      '\0\0\0\x17\0\x03\0\0user\0postgres\0\0P\0\0\0\x0f\0select 1\0\0\0B\0\0\0\x0c\0\0\0\0\0\0\0\0E\0\0\0\x09\0\0\0\0\0Q\0\0\0\x0dselect 1\0',
    ),
    lives: 'psql -U postgres -c "select 1"',
  },
  {
    image: 'mysql',
    env: { MYSQL_ROOT_PASSWORD: 'x' },
    port: 3306,
    begins: bytes(`\x2a\0\0\x01\x0d\xa2\x08\0\xff\xff\xff\0\x2d${'\0'.repeat(23)}root\0\0\0\0\0\x09\0\0\0\x03select 1`),
    lives: 'mysql -uroot -px -e "select 1"',
  },
  {
    image: 'mongo',
    port: 27_017,
    begins: bytes(
      '\x2d\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x18\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x02\0\0\0a\0\0',
    ),
    lives: `mongosh --eval 'db.adminCommand("ping")'`,
  },
  {
    image: 'rabbitmq',
    port: 5672,
    begins: bytes(
      'AMQP\0\0\x09\x01\x01\0\0\0\0\0\x28\0\x0a\0\x0b\0\0\0\0\x05PLAIN\0\0\0\x0c\0guest\0guest\x05en_US\xce\x01\0\0\0\0\0\x04\0\x0a\0\x28\xce',
    ),
    lives: 'rabbitmq-diagnostics -q ping',
  },
  {
    image: 'apache/kafka',
    port: 9092,
    begins: bytes(
      '\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\0\0\xff\xff\xff\xff\0\0\0\x20\0\x13\0\x01\0\0\0\x02\0\0\0\0\0\x01\0\x01t\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0',
    ),
    lives: 'kafka-topics.sh --bootstrap-server localhost:9092 --list',
  },
  {
    image: 'zookeeper',
    port: 2181,
    begins: bytes(
      `\0\0\0\x2c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x27\x10${'\0'.repeat(28)}\0\0\0\x08\xff\xff\xff\xfe\0\0\0\x0b`,
    ),
    lives: 'zkServer.sh status',
  },
  {
    image: 'nats',
    port: 4222,
    begins: bytes('CONNECT {}\r\nSUB a.* 1\r\nPUB a.b 2\r\nhi\r\n'),
    lives: 'nc -z 127.0.0.1 4222',
  },
  {
    image: 'etcd',
    port: 2379,
    begins: bytes('POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n\r\n{"key":"YQ==","value":1}'),
    lives: 'etcdctl endpoint health',
  },
];

const TIMES = 60;

/** Some bytes of a good beginning are others, are missing, or come twice. */
function damaged(good: Buffer, random: ReturnType<typeof seededRandom>): Buffer {
  let made = Buffer.from(good);
  for (let i = random.below(4) + 1; i > 0; i--) {
    const at = random.below(made.length || 1);
    const kind = random.below(4);
    if (kind === 0) made[at] = random.below(256);
    else if (kind === 1) made[at] = random.below(2) === 0 ? 0xff : 0x7f;
    else if (kind === 2) made = Buffer.concat([made.subarray(0, at), made.subarray(at + random.below(5))]);
    else made = Buffer.concat([made.subarray(0, at), made.subarray(Math.max(0, at - random.below(9)))]);
  }
  return made;
}

for (const { image, port, begins, lives, ...fixture } of CASES)
  t.test(`${image} survives what no client sends`, async t => {
    const running = await startImage(image, fixture);
    t.teardown(() => running.stop());
    const alive = async (): Promise<boolean> => (await running.run(['sh', '-c', lives])).exit === 0;
    await until(image, alive);
    const random = seededRandom(1);
    const { network } = running.context;
    for (let i = 0; i < TIMES; i++) {
      const stream = await network.connect({ address: '127.0.0.1', port });
      stream.on('error', () => stream.destroy());
      const gone = new Promise(resolve => stream.once('close', resolve));
      stream.resume();
      stream.end(i === 0 ? begins : damaged(begins, random));
      await Promise.race([gone, new Promise(resolve => setImmediate(resolve))]);
      if (i % 10 === 9) stream.destroy();
    }
    t.ok(await alive(), 'it serves');
    t.equal(
      running.context.processes.list().some(({ pid }) => pid === 1),
      true,
      'the same process',
    );
  });
