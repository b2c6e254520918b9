import type { Outcome } from '../sql/catalog.js';
import { notHeld, SqlError } from '../sql/catalog.js';
import * as m from './messages.js';
import { problemOf } from './problem.js';
import { runPg, type PgSession } from './sql.js';

/** What a client has prepared, by name; "" is one, too. */
export interface Portals {
  readonly statements: Map<string, string>;
  readonly portals: Map<string, string>;
  /** Everything up to the next Sync is skipped. */
  failed: boolean;
}

const MAX_PREPARED = 64;

/** Answers a message of the extended query protocol: Parse, Bind, Describe, Execute, Close, Flush. */
export function extendedQuery(session: PgSession, portals: Portals, letter: string, body: Buffer): Buffer {
  if (portals.failed) return Buffer.alloc(0);
  try {
    return answer(session, portals, letter, body);
  } catch (error) {
    portals.failed = true;
    return problemOf(error);
  }
}

const damaged = (): never => {
  throw new SqlError('08P01', 'invalid message format');
};

function answer(session: PgSession, { statements, portals }: Portals, letter: string, body: Buffer): Buffer {
  switch (letter) {
    case 'P': {
      const [name = '', text = ''] = m.cstringsOf(body, 0, 2)?.texts ?? damaged();
      if (statements.size >= MAX_PREPARED && !statements.has(name))
        throw new SqlError('53000', `more than ${MAX_PREPARED} prepared statements`);
      statements.set(name, text);
      return m.message('1');
    }
    case 'B': {
      const { texts, end } = m.cstringsOf(body, 0, 2) ?? damaged();
      const [portal = '', name = ''] = texts;
      const text = statements.get(name);
      if (text === undefined) throw new SqlError('26000', `prepared statement "${name}" does not exist`);
      if (parameterCount(body, end) > 0) throw notHeld('a statement with parameters');
      if (portals.size >= MAX_PREPARED && !portals.has(portal))
        throw new SqlError('53000', `more than ${MAX_PREPARED} portals`);
      portals.set(portal, text);
      return m.message('2');
    }
    case 'D': {
      const { kind, text } = prepared(statements, portals, body);
      const result = asks(text) ? last(session, text)?.result : undefined;
      const described = result === undefined ? m.message('n') : m.rowDescription(result);
      return kind === 'S' ? Buffer.concat([m.message('t', Buffer.from([0, 0])), described]) : described;
    }
    case 'E': {
      const [portal = ''] = m.cstringsOf(body, 0, 1)?.texts ?? damaged();
      const outcome = last(session, portals.get(portal) ?? '');
      if (outcome === undefined) return m.message('I');
      return Buffer.concat([...(outcome.result?.rows ?? []).map(m.dataRow), m.commandComplete(outcome)]);
    }
    case 'C': {
      const kind = String.fromCharCode(body[0] ?? 0);
      const [name = ''] = m.cstringsOf(body, 1, 1)?.texts ?? damaged();
      (kind === 'S' ? statements : portals).delete(name);
      return m.message('3');
    }
    case 'H':
      return Buffer.alloc(0);
    default:
      throw new SqlError('08P01', 'invalid frontend message type');
  }
}

function prepared(
  statements: Portals['statements'],
  portals: Portals['portals'],
  body: Buffer,
): { kind: string; text: string } {
  const kind = String.fromCharCode(body[0] ?? 0);
  const [name = ''] = m.cstringsOf(body, 1, 1)?.texts ?? damaged();
  const text = (kind === 'S' ? statements : portals).get(name);
  if (text === undefined) throw new SqlError('26000', `prepared statement "${name}" does not exist`);
  return { kind, text };
}

/** Behind the formats: how many values there are. */
function parameterCount(body: Buffer, at: number): number {
  if (at + 2 > body.length) return damaged();
  const formats = body.readUInt16BE(at);
  const next = at + 2 + 2 * formats;
  return next + 2 > body.length ? damaged() : body.readUInt16BE(next);
}

/** Whether it only asks, so that to run it twice, described and executed, changes nothing. */
const asks = (text: string): boolean => /^\s*(?:select|show)\b/i.test(text) && !/;\s*\S/.test(text);

function last(session: PgSession, text: string): Outcome | undefined {
  let outcome: Outcome | undefined;
  for (const one of runPg(session, text)) outcome = one;
  return outcome;
}
