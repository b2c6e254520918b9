import { MAX_NAMES, SqlError, type Catalog, type Outcome } from './catalog.js';
import type { Token } from './tokens.js';

const textOf = (token: Token | undefined): string => token?.text ?? '';

/** The first token behind IF [NOT] EXISTS, and whether that was said. */
function named(tokens: readonly Token[], at: number): { name: string; next: number; conditional: boolean } {
  const words = tokens.slice(at, at + 3).map(textOf);
  const skip = words[0] === 'if' ? (words[1] === 'not' ? 3 : 2) : 0;
  return { name: textOf(tokens[at + skip]), next: at + skip + 1, conditional: skip > 0 };
}

/** Behind PASSWORD or IDENTIFIED BY. */
function passwordOf(tokens: readonly Token[], from: number): string | undefined {
  const word = tokens.findIndex((token, i) => i >= from && (token.text === 'password' || token.text === 'by'));
  return word < 0 ? undefined : tokens.slice(word).find(token => token.kind === 'text')?.text;
}

/**
 * CREATE, ALTER and DROP of databases and roles: all that a server without tables can keep. Undefined: it is about something
 * else. @throws SqlError
 */
export function define(catalog: Catalog, tokens: readonly Token[]): Outcome | undefined {
  const [verb, kind] = tokens.map(textOf);
  const what = `${verb ?? ''} ${kind ?? ''}`;
  const { name, next, conditional } = named(tokens, 2);
  switch (what) {
    case 'create database':
    case 'create schema':
      if (catalog.databases.has(name)) {
        if (conditional || kind === 'schema') return { tag: what.toUpperCase() };
        throw new SqlError('42P04', `database "${name}" already exists`);
      }
      if (catalog.databases.size >= MAX_NAMES) throw new SqlError('53000', `more than ${MAX_NAMES} databases`);
      catalog.databases.add(name);
      return { tag: what.toUpperCase() };
    case 'drop database':
      if (!catalog.databases.delete(name) && !conditional)
        throw new SqlError('3D000', `database "${name}" does not exist`);
      return { tag: 'DROP DATABASE' };
    case 'create role':
    case 'create user':
      if (catalog.roles.has(name) && !conditional) throw new SqlError('42710', `role "${name}" already exists`);
      if (catalog.roles.size >= MAX_NAMES) throw new SqlError('53000', `more than ${MAX_NAMES} roles`);
      if (!catalog.roles.has(name)) catalog.roles.set(name, passwordOf(tokens, next));
      return { tag: 'CREATE ROLE' };
    case 'alter role':
    case 'alter user': {
      if (!catalog.roles.has(name)) throw new SqlError('42704', `role "${name}" does not exist`);
      const password = passwordOf(tokens, next);
      if (password !== undefined) catalog.roles.set(name, password);
      return { tag: 'ALTER ROLE' };
    }
    case 'drop role':
    case 'drop user':
      if (!catalog.roles.delete(name) && !conditional) throw new SqlError('42704', `role "${name}" does not exist`);
      return { tag: 'DROP ROLE' };
    default:
      return undefined;
  }
}

/** Statements that change nothing where nothing is kept, and what they are answered with. */
const HARMLESS: Readonly<Record<string, string>> = {
  begin: 'BEGIN',
  start: 'BEGIN',
  commit: 'COMMIT',
  end: 'COMMIT',
  rollback: 'ROLLBACK',
  set: 'SET',
  reset: 'RESET',
  discard: 'DISCARD ALL',
  deallocate: 'DEALLOCATE',
  listen: 'LISTEN',
  unlisten: 'UNLISTEN',
  grant: 'GRANT',
  revoke: 'REVOKE',
  flush: 'FLUSH',
  use: 'USE',
  checkpoint: 'CHECKPOINT',
  vacuum: 'VACUUM',
  analyze: 'ANALYZE',
};

export function harmless([first]: readonly Token[]): Outcome | undefined {
  const word = first?.kind === 'word' ? first.text : '';
  const tag = Object.hasOwn(HARMLESS, word) ? HARMLESS[word] : undefined;
  return tag === undefined ? undefined : { tag };
}
