import type { Compound, Script, Word } from './ast.js';
import type { TokenReader } from './token-reader.js';

/** What begins with a reserved word or "("; undefined: something else is here. `list` reads the commands in it. */
export function readCompound(tokens: TokenReader, list: () => Script): Compound | undefined {
  if (tokens.isOperator('(')) {
    tokens.take();
    const body = list();
    tokens.expectOperator(')');
    return { kind: 'subshell', body };
  }
  if (tokens.reserved('{')) {
    tokens.take();
    const body = list();
    tokens.expectReserved('}');
    return { kind: 'group', body };
  }
  if (tokens.reserved('if')) return conditional(tokens, list);
  if (tokens.reserved('while', 'until')) {
    const until = tokens.reserved('until');
    tokens.take();
    const condition = list();
    return { kind: 'loop', until, condition, body: doGroup(tokens, list) };
  }
  if (tokens.reserved('for')) {
    tokens.take();
    const name = tokens.plainName();
    let words: Word[] | undefined;
    tokens.skipNewlines();
    if (tokens.reserved('in')) {
      tokens.take();
      words = [];
      while (tokens.peek().kind === 'word') words.push(tokens.word());
    }
    if (tokens.isOperator(';', '\n')) tokens.take();
    tokens.skipNewlines();
    return { kind: 'for', name, words, body: doGroup(tokens, list) };
  }
  if (tokens.reserved('case')) return caseOf(tokens, list);
  return undefined;
}

function doGroup(tokens: TokenReader, list: () => Script): Script {
  tokens.expectReserved('do');
  const body = list();
  tokens.expectReserved('done');
  return body;
}

function conditional(tokens: TokenReader, list: () => Script): Compound {
  const branches: { condition: Script; body: Script }[] = [];
  do {
    tokens.take();
    const condition = list();
    tokens.expectReserved('then');
    branches.push({ condition, body: list() });
  } while (tokens.reserved('elif'));
  let otherwise: Script | undefined;
  if (tokens.reserved('else')) {
    tokens.take();
    otherwise = list();
  }
  tokens.expectReserved('fi');
  return { kind: 'if', branches, otherwise };
}

function caseOf(tokens: TokenReader, list: () => Script): Compound {
  tokens.take();
  const subject = tokens.word();
  tokens.skipNewlines();
  tokens.expectReserved('in');
  const arms: { patterns: Word[]; body: Script }[] = [];
  for (tokens.skipNewlines(); !tokens.reserved('esac'); tokens.skipNewlines()) {
    if (tokens.isOperator('(')) tokens.take();
    const patterns = [tokens.word()];
    while (tokens.isOperator('|')) {
      tokens.take();
      patterns.push(tokens.word());
    }
    tokens.expectOperator(')');
    arms.push({ patterns, body: list() });
    tokens.skipNewlines();
    if (tokens.isOperator(';;')) tokens.take();
    else if (!tokens.reserved('esac')) throw tokens.unexpected();
  }
  tokens.take();
  return { kind: 'case', subject, arms };
}
