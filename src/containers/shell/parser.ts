import type { AndOr, Command, ListItem, Pipeline, Redirection, Script, SimpleCommand, Word } from './ast.js';
import { readCompound } from './compound-commands.js';
import { Lexer } from './lexer.js';
import { readRedirection } from './redirections.js';
import { TokenReader } from './token-reader.js';

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/;
/** bash takes any word; the fork bomb of the books is called ":". */
const FUNCTION_NAME = /^[^\s$`'"\\=(){}<>|&;]+$/;
/** Words that end a list when they stand where a command would start. */
const CLOSERS = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']);

/** Parses a whole script. @throws ShellSyntaxError */
export function parseScript(source: string): Script {
  const parser = createParser(new Lexer(source, parseSubstitution));
  const script = parser.list();
  parser.tokens.expectEnd();
  return script;
}

/**
 * The commands of a script, a line of them at a time: what stands before a syntax error is run, and a long script holds
 * nothing up. @throws ShellSyntaxError where it is reached
 */
export function* parseLines(source: string): Generator<{ readonly script: Script; readonly last: boolean }> {
  const lexer = new Lexer(source, parseSubstitution);
  const parser = createParser(lexer);
  for (let script = parser.line(); script !== undefined; script = parser.line()) yield { script, last: lexer.atEnd };
}

function parseSubstitution(lexer: Lexer): Script {
  const parser = createParser(lexer);
  const script = parser.list();
  parser.tokens.expectOperator(')');
  return script;
}

function createParser(lexer: Lexer) {
  const tokens = new TokenReader(lexer);

  const list = (): Script => {
    const items: ListItem[] = [];
    for (;;) {
      while (tokens.isOperator('\n', ';')) {
        if (tokens.isOperator(';') && items.length === 0) throw tokens.unexpected();
        tokens.take();
      }
      const current = tokens.peek();
      if (current.kind === 'end' || tokens.isOperator(')', ';;')) return items;
      if (current.kind === 'word' && CLOSERS.has(current.raw)) return items;
      const node = andOr();
      const background = tokens.isOperator('&');
      items.push({ node, background });
      if (tokens.isOperator('&', ';', '\n')) tokens.take();
      else return items;
    }
  };

  /** The commands up to the end of a line; undefined at the end of the script. */
  const line = (): Script | undefined => {
    tokens.skipNewlines();
    if (tokens.peek().kind === 'end') return undefined;
    const items: ListItem[] = [];
    for (;;) {
      const node = andOr();
      const background = tokens.isOperator('&');
      items.push({ node, background });
      if (tokens.isOperator('&', ';')) tokens.take();
      if (tokens.isOperator('\n')) {
        tokens.take();
        return items;
      }
      if (tokens.peek().kind === 'end') return items;
      if (tokens.isOperator(')', ';;', ';', '&')) throw tokens.unexpected();
      if (!background && tokens.lastTaken !== ';') throw tokens.unexpected();
    }
  };

  const andOr = (): AndOr => {
    const first = pipeline();
    const rest: { op: '&&' | '||'; pipeline: Pipeline }[] = [];
    while (tokens.isOperator('&&', '||')) {
      const op = (tokens.take() as { op: '&&' | '||' }).op;
      tokens.skipNewlines();
      rest.push({ op, pipeline: pipeline() });
    }
    return { first, rest };
  };

  const pipeline = (): Pipeline => {
    let negated = false;
    while (tokens.reserved('!')) {
      tokens.take();
      negated = !negated;
    }
    const commands = [command()];
    while (tokens.isOperator('|')) {
      tokens.take();
      tokens.skipNewlines();
      commands.push(command());
    }
    return { negated, commands };
  };

  const command = (): Command => {
    lexer.enter();
    try {
      return commandHere();
    } finally {
      lexer.leave();
    }
  };

  const commandHere = (): Command => {
    const body = readCompound(tokens, list);
    if (body !== undefined) {
      const redirections: Redirection[] = [];
      for (let next = readRedirection(tokens, lexer); next !== undefined; next = readRedirection(tokens, lexer))
        redirections.push(next);
      return { kind: 'compound', body, redirections };
    }
    return simple();
  };

  const simple = (): Command => {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const next = readRedirection(tokens, lexer);
      if (next !== undefined) {
        redirections.push(next);
        continue;
      }
      const current = tokens.peek();
      if (current.kind !== 'word') break;
      const name = words.length === 0 ? ASSIGNMENT.exec(current.raw)?.[1] : undefined;
      tokens.take();
      if (name !== undefined) assignments.push({ name, value: dropPrefix(current.word, name.length + 1) });
      else words.push(current.word);
      if (words.length === 1 && FUNCTION_NAME.test(current.raw) && tokens.isOperator('(')) {
        tokens.take();
        tokens.expectOperator(')');
        tokens.skipNewlines();
        return { kind: 'function', name: current.raw, body: command() };
      }
    }
    const result: SimpleCommand = { kind: 'simple', assignments, words, redirections };
    if (assignments.length + words.length + redirections.length === 0) throw tokens.unexpected();
    return result;
  };

  return { list, line, tokens };
}

/** The value of "NAME=value": the word without its first characters. */
function dropPrefix(word: Word, length: number): Word {
  const [first, ...rest] = word;
  if (first?.kind !== 'text') return word;
  const text = first.text.slice(length);
  return text === '' ? rest : [{ ...first, text }, ...rest];
}
