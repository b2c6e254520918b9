import { refuse, type Token, type Tokens } from './tokens.js';

/** `{ ONE, ONE }`, over as many lines as it likes. */
export function readList<T>(tokens: Tokens, one: () => T): T[] {
  const list: T[] = [];
  tokens.expect('{');
  tokens.skipLines();
  while (!tokens.take('}')) {
    list.push(one());
    tokens.skipLines();
    if (!tokens.take(',')) {
      tokens.expect('}');
      break;
    }
    tokens.skipLines();
  }
  return list;
}

/** Statements to the closing brace, each ended by a line or a semicolon. */
export function readBlock(tokens: Tokens, statement: () => void): void {
  tokens.expect('{');
  for (;;) {
    while (tokens.take('\n') || tokens.take(';'));
    if (tokens.take('}')) return;
    statement();
    if (!isStatementEnd(tokens.peek())) refuse(tokens.peek());
  }
}

export const isStatementEnd = ({ kind, text }: Token): boolean =>
  kind === 'mark' && (text === '\n' || text === ';' || text === '}' || text === '');
