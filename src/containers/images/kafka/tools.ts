import { NetworkError } from '../../network/errors.js';
import type { Process, Program } from '../../process.js';
import { dial, Gone, UnknownHost, type Connection } from '../connections.js';
import { flagOf } from '../http/served.js';
import { notSimulated } from '../not-simulated.js';
import { KAFKA_VERSION } from './server.js';
import * as w from './wire.js';

/** An answer is no larger. */
const MAX_ANSWER = 1024 * 1024;
const MANY = 100_000;

/** @throws Gone */
async function ask({ reader, write }: Connection, key: number, version: number, body: Buffer): Promise<w.KafkaReader> {
  await write(w.sized(w.int16(key), w.int16(version), w.int32(1), w.text('kafka-tool'), body));
  const length = (await reader.bytes(4))?.readInt32BE(0) ?? 0;
  const answer = length < 4 || length > MAX_ANSWER ? undefined : await reader.bytes(length);
  if (answer === undefined) throw new Gone();
  const said = new w.KafkaReader(answer);
  said.int(4);
  return said;
}

interface Topic {
  readonly name: string;
  readonly error: number;
  readonly partitions: number;
}

async function topicsOf(connection: Connection): Promise<Topic[]> {
  const said = await ask(connection, w.API.metadata.key, 0, w.array([]));
  said.array(MANY, () => [said.int(4), said.text(), said.int(4)]);
  return (
    said.array(MANY, () => {
      const error = said.int(2);
      const name = said.text() ?? '';
      const partitions = said.array(MANY, () => {
        said.int(2);
        said.int(4);
        said.int(4);
        said.array(MANY, () => said.int(4));
        return said.array(MANY, () => said.int(4));
      });
      return { name, error, partitions: partitions?.length ?? 0 };
    }) ?? []
  );
}

/** Opens the first of --bootstrap-server, runs a tool on it, and says why it cannot. */
async function withBroker(
  process: Process,
  run: (connection: Connection, server: string) => Promise<number>,
): Promise<number> {
  const { stderr } = process;
  const server = (flagOf(process, 'bootstrap-server') ?? flagOf(process, 'broker-list') ?? '').split(',', 1)[0] ?? '';
  const [host = '', port = '9092'] = server.split(':');
  if (host === '') {
    await stderr.write(
      'Exception in thread "main" java.lang.IllegalArgumentException: --bootstrap-server must be specified\n',
    );
    return 1;
  }
  try {
    const connection = await dial(process, host, Number(port));
    try {
      return await run(connection, server);
    } finally {
      connection.stream.destroy();
    }
  } catch (error) {
    if (!(error instanceof NetworkError || error instanceof UnknownHost || error instanceof Gone)) throw error;
    const why =
      error instanceof UnknownHost
        ? `Couldn't resolve server ${server} from bootstrap.servers`
        : 'Broker may not be available.';
    await stderr.write(
      `WARN [AdminClient clientId=adminclient-1] Connection to node -1 (${server}) could not be established. ${why}\n`,
    );
    await stderr.write('Error while executing topic command : Timed out waiting for a node assignment.\n');
    return 1;
  }
}

/** kafka-topics --list, --create, --describe, --delete. */
export const kafkaTopics: Program = async process => {
  const { args, stdout, stderr } = process;
  const has = (name: string): boolean => args.includes(name);
  if (has('--version')) {
    await stdout.write(`${KAFKA_VERSION}\n`);
    return 0;
  }
  return withBroker(process, async connection => {
    const topic = flagOf(process, 'topic');
    if (has('--list')) {
      const names = (await topicsOf(connection)).map(({ name }) => name).sort();
      await stdout.write(names.map(name => `${name}\n`).join(''));
      return 0;
    }
    if (has('--describe')) {
      const found = (await topicsOf(connection)).filter(({ name }) => topic === undefined || name === topic);
      if (found.length === 0 && topic !== undefined) return missing(process, topic);
      for (const { name, partitions } of found) {
        const lines = Array.from(
          { length: partitions },
          (_, i) => `\tTopic: ${name}\tPartition: ${i}\tLeader: 1\tReplicas: 1\tIsr: 1\n`,
        );
        await stdout.write(
          `Topic: ${name}\tPartitionCount: ${partitions}\tReplicationFactor: 1\tConfigs: \n${lines.join('')}`,
        );
      }
      return 0;
    }
    if (topic === undefined) {
      await stderr.write(
        'Command must include exactly one action: --list, --describe, --create, --alter or --delete, and a --topic where it needs one\n',
      );
      return 1;
    }
    if (has('--create')) {
      const partitions = Number(flagOf(process, 'partitions') ?? '1');
      const body = Buffer.concat([
        w.array([Buffer.concat([w.text(topic), w.int32(partitions), w.int16(1), w.array([]), w.array([])])]),
        w.int32(30_000),
        w.int8(0),
      ]);
      const said = await ask(connection, w.API.createTopics.key, 1, body);
      const [result] = said.array(MANY, () => ({ name: said.text(), error: said.int(2), message: said.text() })) ?? [];
      if (
        result === undefined ||
        result.error === w.ERROR.none ||
        (result.error === w.ERROR.topicExists && has('--if-not-exists'))
      ) {
        if (result?.error === w.ERROR.none) await stdout.write(`Created topic ${topic}.\n`);
        return 0;
      }
      await stdout.write(`Error while executing topic command : ${result.message ?? `error ${result.error}`}\n`);
      return 1;
    }
    if (!has('--delete')) return notSimulated(process, 'this action');
    const said = await ask(
      connection,
      w.API.deleteTopics.key,
      0,
      Buffer.concat([w.array([w.text(topic)]), w.int32(30_000)]),
    );
    const [result] = said.array(MANY, () => ({ name: said.text(), error: said.int(2) })) ?? [];
    return result?.error === w.ERROR.none || has('--if-exists') ? 0 : missing(process, topic);
  });
};

async function missing({ stdout }: Process, topic: string): Promise<number> {
  await stdout.write(`Error while executing topic command : Topic '${topic}' does not exist as expected\n`);
  return 1;
}

/** kafka-broker-api-versions: what a broker serves. */
export const kafkaBrokerApiVersions: Program = process =>
  withBroker(process, async (connection, server) => {
    const said = await ask(connection, w.API.apiVersions.key, 0, Buffer.alloc(0));
    said.int(2);
    const apis = said.array(MANY, () => ({ key: said.int(2), min: said.int(2), max: said.int(2) })) ?? [];
    const lines = apis.map(({ key, min, max }) => `\t(${key}): ${min} to ${max} [usable: ${max}]`);
    await process.stdout.write(`${server} (id: 1 rack: null) -> (\n${lines.join(',\n')}\n)\n`);
    return 0;
  });

/** Tools about records, of which there are none. */
export const kafkaOther: Program = process => notSimulated(process, 'records');
