import { nearest } from '../nearest.js';
import { TemplateSyntaxError, type Operand, type Pipeline } from './syntax.js';
import type { Token } from './tokens.js';

/** Functions by name, with how many arguments they take. */
export type Known = ReadonlyMap<string, { readonly least: number; readonly most: number }>;

const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, nil: null };
const MAX_DEPTH = 50;

/** @throws TemplateSyntaxError, without a line */
export function parsePipeline(tokens: readonly Token[], known: Known): Pipeline {
  const parser = new PipelineParser(tokens, known);
  return parser.whole();
}

class PipelineParser {
  private next = 0;
  private depth = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly known: Known,
  ) {}

  whole(): Pipeline {
    const found = this.pipeline();
    return this.next < this.tokens.length ? this.refuse() : found;
  }

  private refuse(): never {
    const token = this.tokens[this.next];
    throw new TemplateSyntaxError(
      token === undefined ? 'something is missing' : `unexpected ${JSON.stringify(token.text)}`,
    );
  }

  private isSign(text: string): boolean {
    const token = this.tokens[this.next];
    return token?.type === 'sign' && token.text === text;
  }

  private pipeline(): Pipeline {
    if (++this.depth > MAX_DEPTH) throw new TemplateSyntaxError('nested too deep');
    const commands = [this.command(0)];
    while (this.isSign('|')) {
      this.next++;
      const command = this.command(1);
      if (command.kind !== 'call') throw new TemplateSyntaxError('what is piped into is no function');
      commands.push(command);
    }
    this.depth--;
    return commands;
  }

  /** `piped`: how many arguments come from the command before. */
  private command(piped: number): Operand {
    const first = this.tokens[this.next];
    if (first?.type === 'word' && !Object.hasOwn(CONSTANTS, first.text)) return this.call(piped);
    const operand = this.operand();
    const more = this.tokens[this.next];
    if (more !== undefined && !this.isSign('|') && !this.isSign(')')) return this.refuse();
    return operand;
  }

  private call(piped: number): Operand {
    const name = this.tokens[this.next++]?.text ?? '';
    const known = this.known.get(name);
    if (known === undefined) throw new TemplateSyntaxError(unknownFunction(name, this.known));
    const args: Operand[] = [];
    while (this.next < this.tokens.length && !this.isSign('|') && !this.isSign(')')) args.push(this.operand());
    const given = args.length + piped;
    if (given < known.least || given > known.most)
      throw new TemplateSyntaxError(`wrong number of arguments for ${name}: ${given}`);
    return { kind: 'call', name, args };
  }

  private operand(): Operand {
    let found = this.primary();
    for (let token = this.tokens[this.next]; token?.type === 'field' && token.joined; token = this.tokens[this.next]) {
      this.next++;
      found = { kind: 'field', of: found, name: token.text.slice(1) };
    }
    return found;
  }

  private primary(): Operand {
    const token = this.tokens[this.next];
    if (token === undefined) return this.refuse();
    this.next++;
    switch (token.type) {
      case 'field':
        return { kind: 'field', of: { kind: 'dot' }, name: token.text.slice(1) };
      case 'variable':
        return { kind: 'variable', name: token.text };
      case 'number':
        return { kind: 'literal', value: Number(token.text) };
      case 'string':
        return { kind: 'literal', value: unquoted(token.text) };
      case 'word': {
        const value = Object.hasOwn(CONSTANTS, token.text) ? CONSTANTS[token.text] : undefined;
        if (value !== undefined) return { kind: 'literal', value };
        // A function that is an argument is called without any.
        this.next--;
        return this.nullary();
      }
      case 'sign':
        if (token.text === '.') return { kind: 'dot' };
        if (token.text === '(') return this.parenthesis();
        this.next--;
        return this.refuse();
    }
  }

  private nullary(): Operand {
    const name = this.tokens[this.next++]?.text ?? '';
    const known = this.known.get(name);
    if (known === undefined) throw new TemplateSyntaxError(unknownFunction(name, this.known));
    if (known.least > 0) throw new TemplateSyntaxError(`wrong number of arguments for ${name}: 0`);
    return { kind: 'call', name, args: [] };
  }

  private parenthesis(): Operand {
    const pipeline = this.pipeline();
    if (!this.isSign(')')) return this.refuse();
    this.next++;
    return { kind: 'pipeline', pipeline };
  }
}

function unknownFunction(name: string, known: Known): string {
  const near = nearest(name, known.keys());
  return `the function ${JSON.stringify(name)} is not supported${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function unquoted(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new TemplateSyntaxError(`${text} is no text`);
  }
}
