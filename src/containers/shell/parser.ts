import type { AndOr, Command, Compound, ListItem, Pipeline, Redirection, Script, SimpleCommand, Word } from './ast.js';
import { Lexer, ShellSyntaxError, type Token } from './lexer.js';

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** bash takes any word; the fork bomb of the books is called ":". */
const FUNCTION_NAME = /^[^\s$`'"\\=(){}<>|&;]+$/;
const REDIRECTIONS = new Set(['&>', '<', '>', '>>', '>|', '>&', '<&', '<<', '<<-']);
/** Words that end a list when they stand where a command would start. */
const CLOSERS = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']);

/** Parses a whole script. @throws ShellSyntaxError */
export function parseScript(source: string): Script {
  const parser = createParser(new Lexer(source, parseSubstitution));
  const script = parser.list();
  parser.expectEnd();
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
  parser.expectOperator(')');
  return script;
}

function createParser(lexer: Lexer) {
  let token: Token = lexer.next();
  /** Set while the token after the current one has not been read: `$(...)` must not read past its ")". */
  let stale = false;

  const peek = (): Token => {
    if (stale) {
      token = lexer.next();
      stale = false;
    }
    return token;
  };
  let lastTaken = '';
  const take = (): Token => {
    const current = peek();
    lastTaken = current.kind === 'operator' ? current.op : '';
    stale = true;
    return current;
  };
  const isOperator = (...ops: string[]): boolean => {
    const current = peek();
    return current.kind === 'operator' && ops.includes(current.op);
  };
  const reserved = (...words: string[]): boolean => {
    const current = peek();
    return current.kind === 'word' && words.includes(current.raw);
  };
  const unexpected = (): ShellSyntaxError => {
    const current = peek();
    const text = current.kind === 'word' ? `"${current.raw}"` : current.kind === 'operator' ? describe(current.op) : '';
    return new ShellSyntaxError(
      current.kind === 'end' ? 'syntax error: unexpected end of file' : `syntax error: unexpected ${text}`,
    );
  };
  const describe = (op: string): string => (op === '\n' ? 'newline' : `"${op}"`);
  const expectOperator = (op: string): void => {
    if (!isOperator(op)) throw unexpected();
    stale = true;
  };
  const expectReserved = (word: string): void => {
    if (!reserved(word)) throw unexpected();
    stale = true;
  };
  const skipNewlines = (): void => {
    while (isOperator('\n')) take();
  };
  const word = (): Word => {
    const current = take();
    if (current.kind !== 'word') {
      token = current;
      stale = false;
      throw unexpected();
    }
    return current.word;
  };
  const plainName = (): string => {
    const current = peek();
    if (current.kind !== 'word' || !NAME.test(current.raw)) throw unexpected();
    take();
    return current.raw;
  };

  const list = (): Script => {
    const items: ListItem[] = [];
    for (;;) {
      while (isOperator('\n', ';')) {
        if (isOperator(';') && items.length === 0) throw unexpected();
        take();
      }
      const current = peek();
      if (current.kind === 'end' || isOperator(')', ';;')) return items;
      if (current.kind === 'word' && CLOSERS.has(current.raw)) return items;
      const node = andOr();
      const background = isOperator('&');
      items.push({ node, background });
      if (isOperator('&', ';', '\n')) take();
      else return items;
    }
  };

  /** The commands up to the end of a line; undefined at the end of the script. */
  const line = (): Script | undefined => {
    skipNewlines();
    if (peek().kind === 'end') return undefined;
    const items: ListItem[] = [];
    for (;;) {
      const node = andOr();
      const background = isOperator('&');
      items.push({ node, background });
      if (isOperator('&', ';')) take();
      if (isOperator('\n')) {
        take();
        return items;
      }
      if (peek().kind === 'end') return items;
      if (isOperator(')', ';;', ';', '&')) throw unexpected();
      if (!background && lastTaken !== ';') throw unexpected();
    }
  };

  const andOr = (): AndOr => {
    const first = pipeline();
    const rest: { op: '&&' | '||'; pipeline: Pipeline }[] = [];
    while (isOperator('&&', '||')) {
      const op = (take() as { op: '&&' | '||' }).op;
      skipNewlines();
      rest.push({ op, pipeline: pipeline() });
    }
    return { first, rest };
  };

  const pipeline = (): Pipeline => {
    let negated = false;
    while (reserved('!')) {
      take();
      negated = !negated;
    }
    const commands = [command()];
    while (isOperator('|')) {
      take();
      skipNewlines();
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
    const body = compound();
    if (body !== undefined) {
      const redirections: Redirection[] = [];
      for (let next = redirection(); next !== undefined; next = redirection()) redirections.push(next);
      return { kind: 'compound', body, redirections };
    }
    return simple();
  };

  const compound = (): Compound | undefined => {
    if (isOperator('(')) {
      take();
      const body = list();
      expectOperator(')');
      return { kind: 'subshell', body };
    }
    if (reserved('{')) {
      take();
      const body = list();
      expectReserved('}');
      return { kind: 'group', body };
    }
    if (reserved('if')) return conditional();
    if (reserved('while', 'until')) {
      const until = reserved('until');
      take();
      const condition = list();
      return { kind: 'loop', until, condition, body: doGroup() };
    }
    if (reserved('for')) {
      take();
      const name = plainName();
      let words: Word[] | undefined;
      skipNewlines();
      if (reserved('in')) {
        take();
        words = [];
        while (peek().kind === 'word') words.push(word());
      }
      if (isOperator(';', '\n')) take();
      skipNewlines();
      return { kind: 'for', name, words, body: doGroup() };
    }
    if (reserved('case')) return caseOf();
    return undefined;
  };

  const doGroup = (): Script => {
    expectReserved('do');
    const body = list();
    expectReserved('done');
    return body;
  };

  const conditional = (): Compound => {
    const branches: { condition: Script; body: Script }[] = [];
    do {
      take();
      const condition = list();
      expectReserved('then');
      branches.push({ condition, body: list() });
    } while (reserved('elif'));
    let otherwise: Script | undefined;
    if (reserved('else')) {
      take();
      otherwise = list();
    }
    expectReserved('fi');
    return { kind: 'if', branches, otherwise };
  };

  const caseOf = (): Compound => {
    take();
    const subject = word();
    skipNewlines();
    expectReserved('in');
    const arms: { patterns: Word[]; body: Script }[] = [];
    for (skipNewlines(); !reserved('esac'); skipNewlines()) {
      if (isOperator('(')) take();
      const patterns = [word()];
      while (isOperator('|')) {
        take();
        patterns.push(word());
      }
      expectOperator(')');
      arms.push({ patterns, body: list() });
      skipNewlines();
      if (isOperator(';;')) take();
      else if (!reserved('esac')) throw unexpected();
    }
    take();
    return { kind: 'case', subject, arms };
  };

  const redirection = (): Redirection | undefined => {
    const current = peek();
    const explicit = current.kind === 'fd' ? current.fd : undefined;
    if (explicit !== undefined) take();
    const operator = peek();
    if (operator.kind !== 'operator' || !REDIRECTIONS.has(operator.op)) {
      if (explicit !== undefined) throw unexpected();
      return undefined;
    }
    take();
    const op = operator.op === '&>' ? '>&' : operator.op;
    const fd = explicit ?? (op.startsWith('<') ? 0 : 1);
    const target = peek();
    if (target.kind !== 'word') throw unexpected();
    if (op === '<<' || op === '<<-') {
      const quoted = target.word.some(part => part.kind === 'text' && part.quoted);
      const delimiter = target.word.map(part => (part.kind === 'text' ? part.text : '')).join('');
      const document: { op: '<<'; fd: number; body: Word } = { op: '<<', fd, body: [] };
      lexer.expectHereDocument({ delimiter, quoted, stripTabs: op === '<<-', fill: body => (document.body = body) });
      take();
      return document;
    }
    take();
    return { op: op as '<' | '>' | '>>' | '>|' | '>&' | '<&', fd, target: target.word };
  };

  const simple = (): Command => {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const next = redirection();
      if (next !== undefined) {
        redirections.push(next);
        continue;
      }
      const current = peek();
      if (current.kind !== 'word') break;
      const name = words.length === 0 ? ASSIGNMENT.exec(current.raw)?.[1] : undefined;
      take();
      if (name !== undefined) assignments.push({ name, value: dropPrefix(current.word, name.length + 1) });
      else words.push(current.word);
      if (words.length === 1 && FUNCTION_NAME.test(current.raw) && isOperator('(')) {
        take();
        expectOperator(')');
        skipNewlines();
        return { kind: 'function', name: current.raw, body: command() };
      }
    }
    const result: SimpleCommand = { kind: 'simple', assignments, words, redirections };
    if (assignments.length + words.length + redirections.length === 0) throw unexpected();
    return result;
  };

  return {
    list,
    line,
    expectOperator,
    expectEnd: (): void => {
      if (peek().kind !== 'end') throw unexpected();
    },
  };
}

/** The value of "NAME=value": the word without its first characters. */
function dropPrefix(word: Word, length: number): Word {
  const [first, ...rest] = word;
  if (first?.kind !== 'text') return word;
  const text = first.text.slice(length);
  return text === '' ? rest : [{ ...first, text }, ...rest];
}
