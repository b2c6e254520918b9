import { randomBytes } from 'node:crypto';
import type { Process } from '../../process.js';
import { dial, Gone, type Connection } from '../connections.js';
import { BsonError, documentOf, type Document, type Value } from './bson.js';
import { commandMessage, readMessage } from './messages.js';
import { attributesOf, escapeName, proofs, sameProof } from './scram.js';

const MAX_ANSWER = 1024 * 1024;
/** More would hold the client's node up for whoever runs the server. */
const MAX_ITERATIONS = 100_000;

/** An answer that says no. */
export class MongoServerError extends Error {
  override readonly name = 'MongoServerError';
}

export interface MongoClient {
  /** The answer, which says that it is well. @throws MongoServerError, Gone */
  run(database: string, command: Document): Promise<Document>;
  close(): void;
}

/** @throws NetworkError, UnknownHost */
export async function openMongo(process: Process, host: string, port: number): Promise<MongoClient> {
  const connection: Connection = await dial(process, host, port);
  let id = 0;
  return {
    async run(database, command) {
      await connection.write(commandMessage(++id, new Map<string, Value>([...command, ['$db', database]])));
      let answer: Document | undefined;
      try {
        answer = (await readMessage(connection, MAX_ANSWER))?.document;
      } catch (error) {
        if (!(error instanceof BsonError)) throw error;
      }
      if (answer === undefined) throw new Gone();
      if (answer.get('ok') !== 1) throw new MongoServerError(textOf(answer.get('errmsg')));
      return answer;
    },
    close: () => void connection.stream.destroy(),
  };
}

export const textOf = (value: Value | undefined): string => (typeof value === 'string' ? value : '');
const payloadOf = (answer: Document): string => {
  const payload = answer.get('payload');
  return Buffer.isBuffer(payload) ? payload.toString('utf8') : '';
};

/** Proves a password with SCRAM-SHA-256. @throws MongoServerError */
export async function logIn(client: MongoClient, database: string, user: string, password: string): Promise<void> {
  const nonce = randomBytes(18).toString('base64');
  const first = `n=${escapeName(user)},r=${nonce}`;
  const started = await client.run(
    database,
    documentOf({
      saslStart: 1,
      mechanism: 'SCRAM-SHA-256',
      payload: Buffer.from(`n,,${first}`),
      options: documentOf({ skipEmptyExchange: true }),
    }),
  );
  const second = payloadOf(started);
  const attributes = attributesOf(second);
  const iterations = Number(attributes.get('i'));
  const together = attributes.get('r') ?? '';
  if (!together.startsWith(nonce) || !(iterations <= MAX_ITERATIONS))
    throw new MongoServerError('Authentication failed.');
  const third = `c=biws,r=${together}`;
  const { client: proof, server } = await proofs(
    password,
    Buffer.from(attributes.get('s') ?? '', 'base64'),
    iterations,
    `${first},${second},${third}`,
  );
  const ended = await client.run(
    database,
    documentOf({
      saslContinue: 1,
      conversationId: started.get('conversationId') ?? 1,
      payload: Buffer.from(`${third},p=${proof.toString('base64')}`),
    }),
  );
  const signature = Buffer.from(attributesOf(payloadOf(ended)).get('v') ?? '', 'base64');
  if (!sameProof(signature, server)) throw new MongoServerError('Authentication failed.');
}
