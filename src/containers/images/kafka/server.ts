import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import * as w from './wire.js';

export const KAFKA_VERSION = '4.1.0';
const MAX_REQUEST = 256 * 1024;
const MAX_TOPICS = 1000;
const MAX_PARTITIONS = 1000;
const MAX_NAME = 249;

interface Broker {
  readonly process: Process;
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** Partitions by name. */
  readonly topics: Map<string, number>;
}

interface Request {
  readonly version: number;
  readonly reader: w.KafkaReader;
}

const APIS = Object.values(w.API);

const apiVersions = (error: number, version: number): Buffer =>
  Buffer.concat([
    w.int16(error),
    w.array(APIS.map(({ key, min, max }) => Buffer.concat([w.int16(key), w.int16(min), w.int16(max)]))),
    ...(version >= 1 ? [w.int32(0)] : []),
  ]);

function metadata({ id, host, port, topics, process }: Broker, { version, reader }: Request): Buffer {
  const asked = reader.array(MAX_TOPICS, () => reader.text() ?? '');
  // An empty list meant all before there was null.
  const names = asked === null || (version === 0 && asked.length === 0) ? [...topics.keys()] : [...new Set(asked)];
  const since = (first: number, ...parts: readonly Buffer[]): readonly Buffer[] => (version >= first ? parts : []);
  return Buffer.concat([
    ...since(3, w.int32(0)),
    w.array([Buffer.concat([w.int32(id), w.text(host), w.int32(port), ...since(1, w.text(null))])]),
    ...since(2, w.text(`simulated-${process.container.pod.namespace}`.slice(0, 22))),
    ...since(1, w.int32(id)),
    w.array(
      names.map(name => {
        const partitions = topics.get(name);
        return Buffer.concat([
          w.int16(partitions === undefined ? w.ERROR.unknownTopic : w.ERROR.none),
          w.text(name),
          ...since(1, w.int8(0)),
          w.array(
            Array.from({ length: partitions ?? 0 }, (_, i) =>
              Buffer.concat([w.int16(0), w.int32(i), w.int32(id), w.array([w.int32(id)]), w.array([w.int32(id)])]),
            ),
          ),
        ]);
      }),
    ),
  ]);
}

interface NewTopic {
  readonly name: string;
  readonly partitions: number;
}

function readNewTopics(reader: w.KafkaReader): NewTopic[] {
  return (
    reader.array(MAX_TOPICS, () => {
      const name = reader.text() ?? '';
      const partitions = reader.int(4);
      reader.int(2);
      const assigned = reader.array(MAX_PARTITIONS, () => {
        reader.int(4);
        return reader.array(MAX_PARTITIONS, () => reader.int(4));
      });
      reader.array(MAX_PARTITIONS, () => [reader.text(), reader.text()]);
      return { name, partitions: partitions === -1 ? Math.max(1, assigned?.length ?? 1) : partitions };
    }) ?? []
  );
}

function create({ topics }: Broker, { name, partitions }: NewTopic): { error: number; message: string | null } {
  if (topics.has(name)) return { error: w.ERROR.topicExists, message: `Topic '${name}' already exists.` };
  if (!/^[\w.-]+$/.test(name) || name.length > MAX_NAME) return { error: 17, message: 'Topic name is invalid' };
  if (partitions < 1 || partitions > MAX_PARTITIONS)
    return { error: w.ERROR.invalidPartitions, message: `Number of partitions must be from 1 to ${MAX_PARTITIONS}.` };
  const used = [...topics.values()].reduce((sum, count) => sum + count, 0);
  if (topics.size >= MAX_TOPICS || used + partitions > MAX_PARTITIONS)
    return { error: w.ERROR.policy, message: `more than ${MAX_PARTITIONS} partitions are not simulated` };
  topics.set(name, partitions);
  return { error: w.ERROR.none, message: null };
}

function createTopics(broker: Broker, { version, reader }: Request): Buffer {
  const asked = readNewTopics(reader);
  reader.int(4);
  const onlyChecks = version >= 1 && reader.int(1) !== 0;
  return Buffer.concat([
    ...(version >= 2 ? [w.int32(0)] : []),
    w.array(
      asked.map(topic => {
        const { error, message } =
          onlyChecks && !broker.topics.has(topic.name) ? { error: 0, message: null } : create(broker, topic);
        return Buffer.concat([w.text(topic.name), w.int16(error), ...(version >= 1 ? [w.text(message)] : [])]);
      }),
    ),
  ]);
}

function deleteTopics({ topics }: Broker, { version, reader }: Request): Buffer {
  const names = reader.array(MAX_TOPICS, () => reader.text() ?? '') ?? [];
  return Buffer.concat([
    ...(version >= 1 ? [w.int32(0)] : []),
    w.array(
      names.map(name =>
        Buffer.concat([w.text(name), w.int16(topics.delete(name) ? w.ERROR.none : w.ERROR.unknownTopic)]),
      ),
    ),
  ]);
}

/** Undefined: not served, the connection ends. @throws RangeError when the request is damaged */
function answer(broker: Broker, key: number, request: Request): Buffer | undefined {
  const api = APIS.find(one => one.key === key);
  if (api === undefined) return undefined;
  if (request.version > api.max)
    return key === w.API.apiVersions.key ? apiVersions(w.ERROR.unsupportedVersion, 0) : undefined;
  switch (key) {
    case w.API.apiVersions.key:
      return apiVersions(w.ERROR.none, request.version);
    case w.API.metadata.key:
      return metadata(broker, request);
    case w.API.createTopics.key:
      return createTopics(broker, request);
    default:
      return deleteTopics(broker, request);
  }
}

async function converse(broker: Broker, { reader, write }: Connection): Promise<void> {
  for (;;) {
    const head = await reader.bytes(4);
    const length = head?.readInt32BE(0) ?? 0;
    if (length < 8 || length > MAX_REQUEST) return;
    const body = await reader.bytes(length);
    if (body === undefined) return;
    await broker.process.turn();
    const request = new w.KafkaReader(body);
    const [key, version] = [request.int(2), request.int(2)];
    const correlation = request.int(4);
    try {
      request.text();
      const said = answer(broker, key, { version, reader: request });
      if (said === undefined) {
        await broker.process.stderr.write(
          `request of API key ${key}: not simulated, this broker keeps no records; see \`kubette images\`\n`,
        );
        return;
      }
      await write(w.sized(w.int32(correlation), said));
    } catch (error) {
      if (error instanceof RangeError) return;
      throw error;
    }
  }
}

/** Host and port of the first listener that clients are told of. */
function advertised({ env, container }: Process): { host: string; port: number; listens: readonly number[] } {
  const named = (name: string): string => env[`KAFKA_${name}`] ?? env[`KAFKA_CFG_${name}`] ?? '';
  const parse = (list: string): { host: string; port: number }[] =>
    list.split(',', 8).flatMap(one => {
      const [, host = '', port = ''] = /^\w+:\/\/([^:/]*):(\d{1,5})$/.exec(one.trim()) ?? [];
      return port === '' ? [] : [{ host, port: Number(port) }];
    });
  const listeners = parse(named('LISTENERS'));
  const [first] = parse(named('ADVERTISED_LISTENERS'));
  const listens = listeners.length > 0 ? listeners.map(({ port }) => port) : [first?.port ?? 9092];
  return {
    host: first?.host === undefined || first.host === '' ? container.hostname : first.host,
    port: first?.port ?? listens[0] ?? 9092,
    listens: [...new Set(listens)],
  };
}

/** A broker with topics and partitions, and no records in them. */
export const kafkaServer: Program = async process => {
  const { env, stdout } = process;
  const { host, port, listens } = advertised(process);
  const id = Number(env['KAFKA_NODE_ID'] ?? env['KAFKA_CFG_NODE_ID'] ?? env['KAFKA_BROKER_ID'] ?? '1');
  const broker: Broker = { process, id: Number.isInteger(id) ? id : 1, host, port, topics: new Map() };
  await stdout.write(
    `[KafkaServer id=${broker.id}] started (simulated: it keeps no records), listening on ${listens.join(', ')}\n`,
  );
  return serveConnections(
    process,
    listens.map(one => ({ port: one, talk: connection => converse(broker, connection) })),
  );
};
