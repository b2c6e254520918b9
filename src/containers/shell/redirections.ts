import type { Redirection, Word } from './ast.js';
import type { Lexer } from './lexer.js';
import type { TokenReader } from './token-reader.js';

const REDIRECTIONS = new Set(['&>', '<', '>', '>>', '>|', '>&', '<&', '<<', '<<-']);

/** "2>file", "<<EOF"; undefined: something else is here. */
export function readRedirection(tokens: TokenReader, lexer: Lexer): Redirection | undefined {
  const current = tokens.peek();
  const explicit = current.kind === 'fd' ? current.fd : undefined;
  if (explicit !== undefined) tokens.take();
  const operator = tokens.peek();
  if (operator.kind !== 'operator' || !REDIRECTIONS.has(operator.op)) {
    if (explicit !== undefined) throw tokens.unexpected();
    return undefined;
  }
  tokens.take();
  const op = operator.op === '&>' ? '>&' : operator.op;
  const fd = explicit ?? (op.startsWith('<') ? 0 : 1);
  const target = tokens.peek();
  if (target.kind !== 'word') throw tokens.unexpected();
  if (op === '<<' || op === '<<-') {
    const quoted = target.word.some(part => part.kind === 'text' && part.quoted);
    const delimiter = target.word.map(part => (part.kind === 'text' ? part.text : '')).join('');
    const document: { op: '<<'; fd: number; body: Word } = { op: '<<', fd, body: [] };
    lexer.expectHereDocument({ delimiter, quoted, stripTabs: op === '<<-', fill: body => (document.body = body) });
    tokens.take();
    return document;
  }
  tokens.take();
  return { op: op as '<' | '>' | '>>' | '>|' | '>&' | '<&', fd, target: target.word };
}
