import { parsePipeline, type Known } from './parse-pipeline.js';
import { TemplateSyntaxError, type Nodes, type Pipeline, type Template, type TemplateNode } from './syntax.js';
import { segmentsOf, type Segment, type Token } from './tokens.js';

const MAX_DEPTH = 50;
const MAX_LENGTH = 256 * 1024;

type Action = Segment & { kind: 'action' };
type Mutable = { nodes: TemplateNode[]; end: Action | undefined };

/**
 * Reads a template of Go's text/template: actions, pipelines, variables, if, with, range, break, continue, define and
 * template, with the functions that are known. @throws TemplateSyntaxError naming the line, and what is not known
 */
export function parseTemplate(text: string, known: Known): Template {
  if (text.length > MAX_LENGTH) throw new TemplateSyntaxError(`longer than ${MAX_LENGTH} characters`);
  const parser = new TemplateParser(segmentsOf(text), known);
  return parser.whole();
}

class TemplateParser {
  private next = 0;
  private depth = 0;
  private readonly defined = new Map<string, Nodes>();
  private readonly asked: { name: string; line: number }[] = [];

  constructor(
    private readonly segments: readonly Segment[],
    private readonly known: Known,
  ) {}

  whole(): Template {
    const { nodes, end } = this.list();
    if (end !== undefined) this.refuse(end, `unexpected {{${end.tokens[0]?.text ?? ''}}}`);
    const missing = this.asked.find(({ name }) => !this.defined.has(name));
    if (missing !== undefined)
      throw new TemplateSyntaxError(`line ${missing.line}: template ${JSON.stringify(missing.name)} is not defined`);
    return { nodes, defined: this.defined };
  }

  private refuse({ line }: { readonly line: number }, problem: string): never {
    throw new TemplateSyntaxError(`line ${line}: ${problem}`);
  }

  private pipeline(tokens: readonly Token[], of: Action): Pipeline {
    try {
      return parsePipeline(tokens, this.known);
    } catch (error) {
      if (error instanceof TemplateSyntaxError) this.refuse(of, error.message);
      throw error;
    }
  }

  /** Up to an "end" or "else", which is given back. */
  private list(): Mutable {
    if (++this.depth > MAX_DEPTH) throw new TemplateSyntaxError('nested too deep');
    const nodes: TemplateNode[] = [];
    while (this.next < this.segments.length) {
      const segment = this.segments[this.next++] as Segment;
      if (segment.kind === 'text') {
        nodes.push(segment);
        continue;
      }
      const word = segment.tokens[0]?.type === 'word' ? segment.tokens[0].text : '';
      if (word === 'end' || word === 'else') {
        this.depth--;
        return { nodes, end: segment };
      }
      const node = this.action(segment, word);
      if (node !== undefined) nodes.push(node);
    }
    this.depth--;
    return { nodes, end: undefined };
  }

  private action(action: Action, word: string): TemplateNode | undefined {
    const rest = action.tokens.slice(1);
    switch (word) {
      case 'if':
      case 'with':
        return this.branch(word, rest, action);
      case 'range':
        return this.range(rest, action);
      case 'break':
      case 'continue':
        if (rest.length > 0) this.refuse(action, `unexpected ${rest[0]?.text ?? ''} after ${word}`);
        return { kind: word };
      case 'define':
        return this.define(rest, action);
      case 'template':
        return this.template(rest, action);
      case 'block':
        return this.refuse(action, '{{block}} is not supported');
      default:
        return this.output(action);
    }
  }

  private output(action: Action): TemplateNode {
    const [variable, sign, ...rest] = action.tokens;
    if (variable === undefined) return this.refuse(action, 'an action without anything in it');
    if (variable.type === 'variable' && (sign?.text === ':=' || sign?.text === '='))
      return { kind: 'set', name: variable.text, declares: sign.text === ':=', pipeline: this.pipeline(rest, action) };
    return { kind: 'output', pipeline: this.pipeline(action.tokens, action) };
  }

  private branch(kind: 'if' | 'with', tokens: readonly Token[], action: Action): TemplateNode {
    const [variable, sign, ...rest] = tokens;
    const declares = variable?.type === 'variable' && sign?.text === ':=';
    const pipeline = this.pipeline(declares ? rest : tokens, action);
    const { body, otherwise } = this.bodies(action);
    return { kind, ...(declares ? { name: variable.text } : {}), pipeline, body, otherwise };
  }

  private range(tokens: readonly Token[], action: Action): TemplateNode {
    const sign = tokens.findIndex(({ text, type }) => type === 'sign' && text === ':=');
    const names = tokens.slice(0, Math.max(0, sign)).filter(({ type }) => type === 'variable');
    const [first, second] = names.map(({ text }) => text);
    const named =
      second === undefined ? { ...(first === undefined ? {} : { item: first }) } : { key: first ?? '', item: second };
    const pipeline = this.pipeline(tokens.slice(sign + 1), action);
    return { kind: 'range', ...named, pipeline, ...this.bodies(action) };
  }

  /** What stands between an action and its end, and behind its "else". */
  private bodies(action: Action): { body: Nodes; otherwise: Nodes } {
    const { nodes: body, end } = this.list();
    if (end === undefined) return this.refuse(action, `{{${action.tokens[0]?.text ?? ''}}} without {{end}}`);
    if (end.tokens[0]?.text === 'end') return { body, otherwise: [] };
    const [, word, ...rest] = end.tokens;
    // "else if" is an if of its own, whose end is the end of all.
    if (word?.text === 'if' || word?.text === 'with') return { body, otherwise: [this.branch(word.text, rest, end)] };
    if (word !== undefined) this.refuse(end, `unexpected ${word.text} after else`);
    const { nodes: otherwise, end: last } = this.list();
    if (last?.tokens[0]?.text !== 'end') this.refuse(end, '{{else}} without {{end}}');
    return { body, otherwise };
  }

  private define(tokens: readonly Token[], action: Action): undefined {
    const [name] = tokens;
    if (name?.type !== 'string' || tokens.length > 1) this.refuse(action, 'define wants a name in quotes');
    const { nodes, end } = this.list();
    if (end?.tokens[0]?.text !== 'end') this.refuse(action, '{{define}} without {{end}}');
    this.defined.set(name?.text.slice(1, -1) ?? '', nodes);
  }

  private template([name, ...rest]: readonly Token[], action: Action): TemplateNode {
    if (name?.type !== 'string') return this.refuse(action, 'template wants a name in quotes');
    const bare = name.text.slice(1, -1);
    this.asked.push({ name: bare, line: action.line });
    return { kind: 'template', name: bare, ...(rest.length === 0 ? {} : { pipeline: this.pipeline(rest, action) }) };
  }
}
