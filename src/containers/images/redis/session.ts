import type { Process } from '../../process.js';
import type { Keyspace, Kind, Value } from './keyspace.js';
import { error, type Reply, type Version } from './resp.js';

/** What all connections of a server have in common. */
export interface RedisServer {
  readonly process: Process;
  readonly port: number;
  readonly databases: readonly Keyspace[];
  password: string | undefined;
  readonly startedAt: number;
  readonly sessions: Set<Session>;
  /** Subscribers by channel. */
  readonly channels: Map<string, Set<Session>>;
  readonly settings: Map<string, string>;
  readonly counts: { commands: number; connections: number };
  readonly runId: string;
  /** Bytes. */
  readonly usedMemory: () => number;
}

/** One connection. */
export interface Session {
  readonly id: number;
  readonly server: RedisServer;
  database: number;
  authenticated: boolean;
  version: Version;
  name: string;
  readonly address: string;
  readonly subscribed: Set<string>;
  /** Commands since MULTI. */
  queue: string[][] | undefined;
  /** Sends what nobody has asked for: a message of a channel. */
  push(reply: Reply): void;
  /** Set by QUIT. */
  leaving: boolean;
}

/** Answers a command; `args` without its name. */
export type Command = (session: Session, args: readonly string[]) => Reply | Promise<Reply>;

/** Name, how many arguments beside it at least and at most, what it does. */
export interface CommandSpec {
  readonly min: number;
  readonly max: number;
  readonly run: Command;
}

export const WRONG_TYPE = error('WRONGTYPE Operation against a key holding the wrong kind of value');
export const NOT_AN_INTEGER = error('ERR value is not an integer or out of range');
export const SYNTAX = error('ERR syntax error');

export const keysOf = (session: Session): Keyspace => session.server.databases[session.database] as Keyspace;

/** An answer that ends a command early. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(readonly reply: Reply) {
    super(reply.kind);
  }
}

export const refuse = (text: string): never => {
  throw new Refused(error(text));
};

/** The value of a kind under a key. @throws Refused when it is of another one */
export function valueOf<K extends Kind>(
  session: Session,
  key: string,
  kind: K,
): Extract<Value, { kind: K }> | undefined {
  const value = keysOf(session).get(key);
  if (value === undefined) return undefined;
  if (value.kind !== kind) throw new Refused(WRONG_TYPE);
  return value as Extract<Value, { kind: K }>;
}

/** @throws Refused */
export function wholeNumber(text: string | undefined): number {
  if (text === undefined || !/^-?\d{1,15}$/.test(text)) throw new Refused(NOT_AN_INTEGER);
  return Number(text);
}
