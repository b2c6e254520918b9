import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { Program } from '../../process.js';
import type { KnownImage } from '../types.js';

const server = lazy(async () => (await import('./server.js')).kafkaServer);
const topics = lazy(async () => (await import('./tools.js')).kafkaTopics);
const versions = lazy(async () => (await import('./tools.js')).kafkaBrokerApiVersions);
const other = lazy(async () => (await import('./tools.js')).kafkaOther);

const RECORD_TOOLS = ['kafka-console-producer', 'kafka-console-consumer', 'kafka-consumer-groups', 'kafka-configs'];

/** Tools by name; Confluent's have no ".sh". */
const tools = (suffix: '.sh' | ''): KnownImage['programs'] => ({
  [`kafka-topics${suffix}`]: topics,
  [`kafka-broker-api-versions${suffix}`]: versions,
  ...Object.fromEntries(RECORD_TOOLS.map(name => [`${name}${suffix}`, other])),
});

/** Confluent's script: it wants to be told where the broker's clients find it, and how it finds the others. */
const confluentRun: Program = async process => {
  const { env, stdout } = process;
  const wanted = [
    ...(env['KAFKA_PROCESS_ROLES'] === undefined && env['KAFKA_ZOOKEEPER_CONNECT'] === undefined
      ? ['KAFKA_PROCESS_ROLES']
      : []),
    ...(env['KAFKA_ADVERTISED_LISTENERS'] === undefined && env['KAFKA_PROCESS_ROLES'] !== 'controller'
      ? ['KAFKA_ADVERTISED_LISTENERS']
      : []),
  ];
  if (wanted.length === 0) return server(process);
  await stdout.write(
    `===> Configuring ...\n${wanted.map(name => `${name} is required.\nCommand [/usr/local/bin/dub ensure ${name}] FAILED !\n`).join('')}`,
  );
  return 1;
};

const ABOUT = 'a broker with topics and partitions (metadata, create, delete), which takes no records';

export const kafkaImages: readonly KnownImage[] = [
  {
    names: ['apache/kafka', 'apache/kafka-native'],
    about: ABOUT,
    ports: ['9092'],
    entrypoint: ['/__cacert_entrypoint.sh'],
    cmd: ['/etc/kafka/docker/run'],
    programs: { '__cacert_entrypoint.sh': dockerEntrypoint('run'), run: server, ...tools('.sh') },
    userland: true,
    user: 1000,
  },
  {
    names: ['bitnami/kafka', 'bitnamilegacy/kafka', 'wurstmeister/kafka'],
    about: ABOUT,
    ports: ['9092'],
    entrypoint: ['/opt/bitnami/scripts/kafka/entrypoint.sh'],
    cmd: ['/opt/bitnami/scripts/kafka/run.sh'],
    programs: { 'entrypoint.sh': dockerEntrypoint('run.sh'), 'run.sh': server, ...tools('.sh') },
    userland: true,
    user: 1001,
  },
  {
    names: ['cp-kafka', 'cp-server'],
    about: `${ABOUT}; wants KAFKA_ADVERTISED_LISTENERS, and KAFKA_PROCESS_ROLES or KAFKA_ZOOKEEPER_CONNECT`,
    ports: ['9092'],
    entrypoint: [],
    cmd: ['/etc/confluent/docker/run'],
    programs: { run: confluentRun, ...tools('') },
    userland: true,
    user: 1000,
  },
];
