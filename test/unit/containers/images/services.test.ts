import t from 'tap';
import { runImage } from '../../../support/running-image.js';
import { testCommands } from './commands.js';

const HINT = /not simulated.*see `kubette images`/;

testCommands([
  {
    image: 'mongo',
    ready: 'mongosh --quiet --eval "db.adminCommand(\'ping\')"',
    rows: [
      { run: `mongosh --eval "db.adminCommand('ping')"`, stdout: '{ ok: 1 }\n' },
      { run: `mongosh --quiet --eval 'db.runCommand("ping").ok' localhost:27017/test`, stdout: '1\n' },
      { run: `mongosh --eval 'quit(db.runCommand({ ping: 1 }).ok ? 0 : 2)'`, stdout: '' },
      { run: `mongosh --eval 'quit(db.runCommand({ ping: 1 }).ok === 1 ? 3 : 0)'`, exit: 3 },
      { run: `mongosh admin --eval 'db.hello().isWritablePrimary || db.hello().secondary' | grep -q true` },
      { run: `mongosh --eval 'printjson(db.getSiblingDB("admin").hello().readOnly)'`, stdout: 'false\n' },
      { run: `mongosh --eval 'JSON.stringify({a: [1, "x"]})'`, stdout: '{"a":[1,"x"]}\n' },
      { run: `mongosh --eval 'show dbs'`, stdout: /^admin {2}40960\n/ },
      { run: 'mongosh --quiet', stdin: 'db.version()\n', stdout: /^8\.0/ },
      { run: `mongosh --eval 'rs.status()'`, stderr: /MongoServerError: not running with --replSet/, exit: 1 },
      { run: `mongosh --eval 'db.runCommand({insert: "x"})'`, stderr: HINT, exit: 1 },
      { run: `mongosh --eval 'for (;;) {}'`, stderr: HINT, exit: 1 },
      { run: `mongosh --eval 'db.things.insertOne({})'`, stderr: HINT, exit: 1 },
      { run: `mongosh --eval '${'('.repeat(500)}'`, stderr: HINT, exit: 1 },
      {
        run: 'mongosh --port 27018 --eval 1',
        stderr: /MongoNetworkError: connect ECONNREFUSED 127\.0\.0\.1:27018/,
        exit: 1,
      },
      // A document that says it is longer than all that came, and one that says it is shorter than a document.
      {
        run: 'printf "\\x1a\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\xdd\\7\\0\\0\\0\\0\\0\\0\\0\\xff\\0\\0\\0\\0" | nc -w 5 127.0.0.1 27017',
      },
      { run: 'printf "\\xff\\xff\\xff\\x7f\\1\\0\\0\\0\\0\\0\\0\\0\\xdd\\7\\0\\0" | nc -w 5 127.0.0.1 27017' },
    ],
  },
  {
    name: 'mongo with a password',
    image: 'mongo',
    env: { MONGO_INITDB_ROOT_USERNAME: 'admin', MONGO_INITDB_ROOT_PASSWORD: 'se=cr,et' },
    ready: `mongosh --eval 'db.adminCommand("ping")'`,
    rows: [
      { run: `mongosh --eval 'db.adminCommand({listDatabases: 1})'`, stderr: /requires authentication/, exit: 1 },
      { run: `mongosh -u admin -p se=cr,et --eval 'db.adminCommand({listDatabases: 1}).ok'`, stdout: '1\n' },
      { run: `mongosh mongodb://admin:se%3Dcr%2Cet@127.0.0.1:27017/shop --eval 'db.getName()'`, stdout: 'shop\n' },
      { run: 'mongosh -u admin -p wrong --eval 1', stderr: /MongoServerError: Authentication failed\./, exit: 1 },
    ],
  },
  {
    image: 'rabbitmq:management',
    ready: 'rabbitmq-diagnostics -q ping',
    rows: [
      { run: 'rabbitmq-diagnostics -q ping', stdout: 'Ping succeeded\n' },
      {
        run: 'rabbitmq-diagnostics check_port_connectivity',
        stdout: /Successfully connected to ports 5672, 25672, 15672 on node rabbit@p/,
      },
      {
        run: 'rabbitmq-diagnostics -q check_running && rabbitmq-diagnostics -q check_local_alarms',
        stdout: /fully booted and running\nNode rabbit@p reported no local alarms/,
      },
      { run: 'rabbitmq-diagnostics check_port_listener 5672', stdout: /A listener for port 5672 is running/ },
      { run: 'rabbitmq-diagnostics -q check_port_listener 1', stderr: /No listener for port 1/, exit: 69 },
      { run: 'rabbitmqctl status', stdout: /RabbitMQ version: 4\./ },
      { run: 'rabbitmqctl -q list_users', stdout: 'user\ttags\nguest\t[administrator]\n' },
      { run: 'rabbitmqctl add_user x y', stderr: HINT, exit: 1 },
      { run: 'curl -s http://127.0.0.1:15672/api/overview', stdout: /not_authorized/ },
      { run: 'curl -s -u guest:guest http://127.0.0.1:15672/api/health/checks/alarms', stdout: '{"status":"ok"}\n' },
      { run: 'curl -s http://127.0.0.1:15692/metrics', stdout: /rabbitmq_up 1/ },
      { run: 'printf "AMQP\\0\\0\\011\\1" | nc -w 5 127.0.0.1 5672', stdout: /RabbitMQ/ },
      { run: 'printf "HTTP/1.1" | nc -w 5 127.0.0.1 5672', stdout: 'AMQP\0\0\t\u0001' },
    ],
  },
  {
    image: 'apache/kafka',
    ready: 'kafka-broker-api-versions.sh --bootstrap-server localhost:9092',
    rows: [
      { run: '/opt/kafka/bin/kafka-topics.sh --bootstrap-server localhost:9092 --list', stdout: '' },
      {
        run: 'kafka-topics.sh --bootstrap-server localhost:9092 --create --topic orders --partitions 3 --replication-factor 1',
        stdout: 'Created topic orders.\n',
      },
      {
        run: 'kafka-topics.sh --bootstrap-server localhost:9092 --create --topic orders',
        stdout: /Topic 'orders' already exists/,
        exit: 1,
      },
      { run: 'kafka-topics.sh --bootstrap-server localhost:9092 --create --if-not-exists --topic orders', stdout: '' },
      { run: 'kafka-topics.sh --bootstrap-server localhost:9092 --list', stdout: 'orders\n' },
      {
        run: 'kafka-topics.sh --bootstrap-server localhost:9092 --describe --topic orders',
        stdout: /^Topic: orders\tPartitionCount: 3\t/,
      },
      {
        run: 'kafka-topics.sh --bootstrap-server localhost:9092 --create --topic big --partitions 100000',
        stdout: /partitions/i,
        exit: 1,
      },
      {
        run: 'kafka-topics.sh --bootstrap-server localhost:9092 --delete --topic orders; kafka-topics.sh --bootstrap-server localhost:9092 --list',
        stdout: '',
      },
      { run: 'kafka-topics.sh --bootstrap-server localhost:9093 --list', stderr: /could not be established/, exit: 1 },
      { run: 'kafka-topics.sh --list', stderr: /--bootstrap-server must be specified/, exit: 1 },
      { run: 'kafka-console-consumer.sh --topic x', stderr: HINT, exit: 1 },
      { run: 'nc -w 5 127.0.0.1 9092', stdin: '\x7f\xff\xff\xff', stdout: '' },
    ],
  },
  {
    image: 'confluentinc/cp-kafka',
    env: {
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://:29092,CONTROLLER://:29093',
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:29092',
    },
    ready: 'kafka-topics --bootstrap-server localhost:29092 --list',
    rows: [{ run: 'nc -z 127.0.0.1 29093' }],
  },
  {
    image: 'zookeeper',
    ready: 'zkServer.sh status',
    rows: [
      { run: 'zkServer.sh status', stdout: /Mode: standalone\n$/ },
      {
        run: 'echo ruok | nc -w 2 127.0.0.1 2181',
        stdout: 'ruok is not executed because it is not in the whitelist.\n',
      },
      { run: 'echo srvr | nc -w 2 127.0.0.1 2181', stdout: /Mode: standalone/ },
      { run: 'curl -s http://127.0.0.1:8080/commands/ruok', stdout: /"command":"ruok"/ },
      { run: 'nc -w 2 127.0.0.1 2181', stdin: '\x7f\xff\xff\xff', stdout: '' },
    ],
  },
  {
    image: 'bitnami/zookeeper',
    ready: '[ "imok" = "$(echo ruok | nc -w 2 localhost 2181)" ]',
    rows: [{ run: 'echo mntr | nc -w 2 localhost 2181', stdout: /zk_server_state\tstandalone/ }],
  },
  {
    image: 'etcd',
    ready: 'etcdctl endpoint health',
    rows: [
      { run: 'etcdctl endpoint health', stdout: /^127\.0\.0\.1:2379 is healthy: successfully committed proposal/ },
      { run: 'ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 put /a/1 one', stdout: 'OK\n' },
      { run: 'etcdctl put /a/2 two; etcdctl get /a --prefix', stdout: 'OK\n/a/1\none\n/a/2\ntwo\n' },
      { run: 'etcdctl get /a/1 --print-value-only', stdout: 'one\n' },
      { run: 'etcdctl del /a --prefix; etcdctl get /a --prefix', stdout: '2\n' },
      { run: 'etcdctl member list', stdout: /^1, started, default, http:\/\/10\.244\.1\.5:2380/ },
      { run: 'etcdctl lease grant 10', stderr: HINT, exit: 1 },
      { run: 'etcdctl --endpoints=127.0.0.1:9999 endpoint health', stderr: /is unhealthy/, exit: 1 },
      { run: 'curl -s http://127.0.0.1:2379/health', stdout: /"health":"true"/ },
      { run: 'curl -s http://127.0.0.1:2379/v3/kv/put -d "not json"', stdout: /"code":3/ },
    ],
  },
  {
    image: 'bitnami/etcd',
    env: { ALLOW_NONE_AUTHENTICATION: 'yes' },
    ready: '/opt/bitnami/scripts/etcd/healthcheck.sh',
    rows: [{ run: 'etcdctl endpoint status', stdout: /3\.6/ }],
  },
  {
    image: 'nats',
    ready: 'nc -z 127.0.0.1 4222',
    rows: [
      { run: 'printf "PING\\r\\n" | nc -w 2 127.0.0.1 4222', stdout: /^INFO \{.*\}\r\nPONG\r\n$/ },
      {
        run: 'printf "SUB a.* 1\\r\\nPUB a.b 2\\r\\nhi\\r\\nPUB a 2\\r\\nno\\r\\nPING\\r\\n" | nc -w 2 127.0.0.1 4222',
        stdout: /\r\nMSG a\.b 1 2\r\nhi\r\nPONG\r\n$/,
      },
      { run: 'printf "PUB a 99999999\\r\\n" | nc -w 2 127.0.0.1 4222', stdout: /-ERR 'Maximum Payload Violation'/ },
      { run: 'curl -s http://127.0.0.1:8222/healthz', stdout: '{"status":"ok"}\n' },
    ],
  },
]);

t.test('who does not start', async t => {
  const table = [
    { image: 'cp-kafka', expect: /KAFKA_PROCESS_ROLES is required\.[^]*KAFKA_ADVERTISED_LISTENERS is required\./ },
    { image: 'bitnami/etcd', expect: /ETCD_ROOT_PASSWORD environment variable is empty/ },
  ];
  for (const { image, expect } of table) {
    const { exit, logs } = await runImage(image);
    t.equal(exit, 1, image);
    t.match(logs, expect, image);
  }
});
