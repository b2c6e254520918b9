import { formatGo } from '../go-text.js';
import { isTrue, TemplateError, type Functions } from './functions.js';
import type { Nodes, Operand, Pipeline, Template, TemplateNode } from './syntax.js';

/** So many nodes are run and so much is written at most, whatever a template says. */
const MAX_STEPS = 50_000;
const MAX_OUTPUT = 256 * 1024;
const MAX_CALLS = 20;

/** What ends a turn of a loop. */
type Flow = 'on' | 'break' | 'continue';

/** Variables, the newest last. */
interface Variable {
  readonly name: string;
  value: unknown;
}

/** The text that a template makes of data. @throws TemplateError */
export function runTemplate(template: Template, data: unknown, functions: Functions): string {
  const run = new TemplateRun(template, functions);
  return run.whole(data);
}

class TemplateRun {
  private steps = 0;
  private calls = 0;
  private size = 0;
  private readonly out: string[] = [];
  private variables: Variable[] = [];

  constructor(
    private readonly template: Template,
    private readonly functions: Functions,
  ) {}

  whole(data: unknown): string {
    this.variables = [{ name: '$', value: data }];
    this.list(this.template.nodes, data);
    return this.out.join('');
  }

  private write(text: string): void {
    this.size += text.length;
    if (this.size > MAX_OUTPUT) throw new TemplateError(`writes more than ${MAX_OUTPUT} characters`);
    this.out.push(text);
  }

  private step(): void {
    if (++this.steps > MAX_STEPS) throw new TemplateError('takes too many steps');
  }

  /** Variables that are declared in it end with it. */
  private list(nodes: Nodes, dot: unknown): Flow {
    const before = this.variables.length;
    try {
      for (const node of nodes) {
        const flow = this.node(node, dot);
        if (flow !== 'on') return flow;
      }
      return 'on';
    } finally {
      this.variables.length = before;
    }
  }

  private node(node: TemplateNode, dot: unknown): Flow {
    this.step();
    switch (node.kind) {
      case 'text':
        this.write(node.text);
        return 'on';
      case 'output':
        this.write(printed(this.pipeline(node.pipeline, dot)));
        return 'on';
      case 'set': {
        const value = this.pipeline(node.pipeline, dot);
        if (node.declares) this.variables.push({ name: node.name, value });
        else this.variable(node.name).value = value;
        return 'on';
      }
      case 'if':
      case 'with':
        return this.branch(node, dot);
      case 'range':
        return this.range(node, dot);
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        return this.call(node.name, node.pipeline === undefined ? null : this.pipeline(node.pipeline, dot));
    }
  }

  private branch(node: TemplateNode & { kind: 'if' | 'with' }, dot: unknown): Flow {
    const before = this.variables.length;
    const value = this.pipeline(node.pipeline, dot);
    if (node.name !== undefined) this.variables.push({ name: node.name, value });
    const holds = isTrue(value);
    const flow = this.list(holds ? node.body : node.otherwise, holds && node.kind === 'with' ? value : dot);
    this.variables.length = before;
    return flow;
  }

  private range(node: TemplateNode & { kind: 'range' }, dot: unknown): Flow {
    const entries = entriesOf(this.pipeline(node.pipeline, dot));
    if (entries.length === 0) return this.list(node.otherwise, dot);
    const before = this.variables.length;
    for (const [key, value] of entries) {
      this.step();
      if (node.key !== undefined) this.variables.push({ name: node.key, value: key });
      if (node.item !== undefined) this.variables.push({ name: node.item, value });
      const flow = this.list(node.body, value);
      this.variables.length = before;
      if (flow === 'break') break;
    }
    return 'on';
  }

  private call(name: string, data: unknown): Flow {
    if (++this.calls > MAX_CALLS) throw new TemplateError('templates call each other too deep');
    const caller = this.variables;
    this.variables = [{ name: '$', value: data }];
    this.list(this.template.defined.get(name) ?? [], data);
    this.variables = caller;
    this.calls--;
    return 'on';
  }

  private variable(name: string): Variable {
    const found = this.variables.findLast(variable => variable.name === name);
    if (found === undefined) throw new TemplateError(`undefined variable ${JSON.stringify(name)}`);
    return found;
  }

  private pipeline([first, ...rest]: Pipeline, dot: unknown): unknown {
    if (first === undefined) return null;
    return rest.reduce<unknown>((value, operand) => this.operand(operand, dot, [value]), this.operand(first, dot, []));
  }

  /** `piped`: what a call is given behind its own arguments. */
  private operand(operand: Operand, dot: unknown, piped: readonly unknown[]): unknown {
    this.step();
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'dot':
        return dot;
      case 'variable':
        return this.variable(operand.name).value;
      case 'field':
        return fieldOf(this.operand(operand.of, dot, []), operand.name);
      case 'pipeline':
        return this.pipeline(operand.pipeline, dot);
      case 'call': {
        const { name, args } = operand;
        const known = this.functions.get(name);
        if (known === undefined) throw new TemplateError(`the function ${name} is gone`);
        // "and" and "or" look at no more than they need.
        if (name === 'and' || name === 'or') return this.untilKnown(name, args, dot, piped);
        return known.run([...args.map(arg => this.operand(arg, dot, [])), ...piped]);
      }
    }
  }

  private untilKnown(name: 'and' | 'or', args: readonly Operand[], dot: unknown, piped: readonly unknown[]): unknown {
    let value: unknown;
    for (const arg of args) {
      value = this.operand(arg, dot, []);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }
}

/** As text/template prints a value. */
const printed = (value: unknown): string => (value === null || value === undefined ? '<no value>' : formatGo(value));

function fieldOf(value: unknown, name: string): unknown {
  // What is missing has every field, and none of them is anything.
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw new TemplateError(`.${name} of ${formatGo(value)}`);
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : null;
}

function entriesOf(value: unknown): [key: string | number, value: unknown][] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, i) => [i, item as unknown]);
  if (typeof value === 'object') return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (typeof value === 'number' && Number.isInteger(value))
    return Array.from({ length: Math.min(Math.max(0, value), MAX_STEPS) }, (_, i) => [i, i]);
  throw new TemplateError(`range over ${formatGo(value)}`);
}
