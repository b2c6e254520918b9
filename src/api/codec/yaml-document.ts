import type { Steps } from '../../machinery/steps.js';
import { YamlSyntaxError, type Mark } from './yaml-reader.js';
import { YamlTokens, type TokenType } from './yaml-tokens.js';

interface NodeBase {
  /** Counted from 0. */
  readonly line: number;
}
export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  readonly text: string;
  /** Resolved, e.g. "tag:yaml.org,2002:str"; '' when there is none. */
  readonly tag: string;
  readonly plain: boolean;
}
export interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly items: YamlNode[];
}
export interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly pairs: [key: YamlNode, value: YamlNode][];
}
export interface AliasNode extends NodeBase {
  readonly kind: 'alias';
  readonly name: string;
  readonly node: YamlNode;
}
export type YamlNode = ScalarNode | ListNode | MapNode | AliasNode;

const NO_MARK: Mark = { index: 0, line: 0, column: 0 };

/** Something that is wrong beyond syntax; it has no line. */
export const compositionError = (problem: string): YamlSyntaxError =>
  new YamlSyntaxError('composer', problem, NO_MARK, NO_MARK);

/** The first document of a text; undefined: there is none. @throws YamlSyntaxError */
export const parseYaml = (text: string): Steps<YamlNode | undefined> => new DocumentParser(text).parse();

/** So many nodes are a step. */
const NODES_PER_STEP = 256;

type Closer = ']' | '}';
type Properties = { readonly anchor?: string; readonly tag: string; readonly line: number };

/** The grammar of one document over its tokens. Source: the productions of libyaml's parser. */
class DocumentParser {
  private readonly tokens: YamlTokens;
  private nodes = 0;
  private readonly anchors = new Map<string, YamlNode>();
  private readonly handles = new Map([
    ['', ''],
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);

  constructor(text: string) {
    this.tokens = new YamlTokens(text);
  }

  *parse(): Steps<YamlNode | undefined> {
    if (this.at('stream end')) return undefined;
    const explicit = this.at('directive', 'document start');
    if (explicit) this.directives();
    const isEmpty = explicit && this.at('directive', 'document start', 'document end', 'stream end');
    const node = isEmpty ? this.empty(this.tokens.peek().mark) : yield* this.node(true, false);
    // The end of the document is looked for, and so may fail.
    this.tokens.peek();
    return node;
  }

  private at(...types: TokenType[]): boolean {
    return types.includes(this.tokens.peek().type);
  }

  private error(problem: string, context: Mark = this.tokens.peek().mark): YamlSyntaxError {
    return new YamlSyntaxError('parser', problem, this.tokens.peek().mark, context);
  }

  private directives(): void {
    let hasVersion = false;
    while (this.at('directive')) {
      const [name = '', first = '', second = ''] = this.tokens.peek().words;
      if (name === 'YAML') {
        if (hasVersion) throw this.error('found duplicate %YAML directive');
        if (first !== '1.1') throw this.error('found incompatible YAML document');
        hasVersion = true;
      } else this.handles.set(first, second);
      this.tokens.take();
    }
    if (!this.at('document start')) throw this.error('did not find expected <document start>');
    this.tokens.take();
  }

  /** `indentless`: a sequence may stand at the indentation of the mapping around it. */
  private *node(block: boolean, indentless: boolean): Steps<YamlNode> {
    if (++this.nodes % NODES_PER_STEP === 0) yield;
    const start = this.tokens.peek();
    if (start.type === 'alias') return this.alias();
    const properties = this.properties(start.mark);
    const { type, mark } = this.tokens.peek();
    const { line, tag } = properties;
    if (type === 'scalar') {
      const { words, plain = false } = this.tokens.take();
      return this.anchored(properties, { kind: 'scalar', text: words[0] ?? '', tag, plain, line });
    }
    if (type === '[' || (block && type === 'block sequence') || (indentless && type === '-')) {
      const list = this.anchored(properties, { kind: 'list', items: [], line });
      if (type === '[') yield* this.flowSequence(list, mark);
      else if (type === '-') yield* this.indentlessSequence(list);
      else yield* this.blockSequence(list, mark);
      return list;
    }
    if (type === '{' || (block && type === 'block mapping')) {
      const map = this.anchored(properties, { kind: 'map', pairs: [], line });
      if (type === '{') yield* this.flowMapping(map, mark);
      else yield* this.blockMapping(map, mark);
      return map;
    }
    if (properties.anchor === undefined && tag === '')
      throw this.error('did not find expected node content', start.mark);
    return this.anchored(properties, { kind: 'scalar', text: '', tag, plain: true, line });
  }

  private empty(mark: Mark): YamlNode {
    return { kind: 'scalar', text: '', tag: '', plain: true, line: mark.line };
  }

  private anchored<T extends YamlNode>({ anchor }: Properties, node: T): T {
    if (anchor !== undefined) this.anchors.set(anchor, node);
    return node;
  }

  private alias(): YamlNode {
    const { words, mark } = this.tokens.take();
    const name = words[0] ?? '';
    const node = this.anchors.get(name);
    if (node === undefined) throw compositionError(`unknown anchor '${name}' referenced`);
    return { kind: 'alias', name, node, line: mark.line };
  }

  /** An anchor and a tag, in any order. */
  private properties(start: Mark): Properties {
    let anchor: string | undefined;
    let tag: string | undefined;
    for (;;) {
      const { type, words, mark } = this.tokens.peek();
      const [first = '', suffix = ''] = words;
      if (type === 'anchor' && anchor === undefined) anchor = first;
      else if (type === 'tag' && tag === undefined) {
        const prefix = this.handles.get(first);
        if (prefix === undefined) throw new YamlSyntaxError('parser', 'found undefined tag handle', mark, start);
        tag = prefix + suffix;
      } else break;
      this.tokens.take();
    }
    return { ...(anchor === undefined ? {} : { anchor }), tag: tag ?? '', line: start.line };
  }

  private *blockSequence({ items }: ListNode, start: Mark): Steps<void> {
    this.tokens.take();
    while (this.at('-')) {
      const { mark } = this.tokens.take();
      items.push(this.at('-', 'block end') ? this.empty(mark) : yield* this.node(true, false));
    }
    if (!this.at('block end')) throw this.error("did not find expected '-' indicator", start);
    this.tokens.take();
  }

  private *indentlessSequence({ items }: ListNode): Steps<void> {
    while (this.at('-')) {
      const { mark } = this.tokens.take();
      items.push(this.at('-', 'key', 'value', 'block end') ? this.empty(mark) : yield* this.node(true, false));
    }
  }

  private *blockMapping({ pairs }: MapNode, start: Mark): Steps<void> {
    this.tokens.take();
    while (this.at('key')) {
      const key = yield* this.mappingPart();
      pairs.push([key, this.at('value') ? yield* this.mappingPart() : this.empty(this.tokens.peek().mark)]);
    }
    if (!this.at('block end')) throw this.error('did not find expected key', start);
    this.tokens.take();
  }

  private *mappingPart(): Steps<YamlNode> {
    const { mark } = this.tokens.take();
    return this.at('key', 'value', 'block end') ? this.empty(mark) : yield* this.node(true, true);
  }

  private *flowSequence({ items }: ListNode, start: Mark): Steps<void> {
    while (this.flowItem(start, ']', items.length === 0)) {
      const { mark } = this.tokens.peek();
      if (this.at('key')) items.push({ kind: 'map', pairs: [yield* this.flowPair(']')], line: mark.line });
      else if (!this.at(']')) items.push(yield* this.node(false, false));
    }
  }

  private *flowMapping({ pairs }: MapNode, start: Mark): Steps<void> {
    while (this.flowItem(start, '}', pairs.length === 0)) {
      const { mark } = this.tokens.peek();
      if (this.at('key')) pairs.push(yield* this.flowPair('}'));
      else if (!this.at('}')) pairs.push([yield* this.node(false, false), this.empty(mark)]);
    }
  }

  /** What opens the collection or stands between its items is taken; false: it is closed, and that is taken, too. */
  private flowItem(start: Mark, closer: Closer, first: boolean): boolean {
    if (first) this.tokens.take();
    const ends = this.at(closer);
    if (!first && !ends && !this.at(',')) throw this.error(`did not find expected ',' or '${closer}'`, start);
    if (ends || !first) this.tokens.take();
    return !ends;
  }

  private *flowPair(closer: Closer): Steps<[YamlNode, YamlNode]> {
    const { mark } = this.tokens.take();
    const key = this.at('value', ',', closer) ? this.empty(mark) : yield* this.node(false, false);
    if (!this.at('value')) return [key, this.empty(this.tokens.peek().mark)];
    this.tokens.take();
    return [key, this.at(',', closer) ? this.empty(mark) : yield* this.node(false, false)];
  }
}
