import { TemplateSyntaxError } from './syntax.js';

export interface Token {
  readonly type: 'word' | 'field' | 'variable' | 'string' | 'number' | 'sign';
  readonly text: string;
  /** It follows what is before it without a space: a field of that. */
  readonly joined: boolean;
}

export type Segment =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly line: number };

const TOKEN =
  /(\s*)(?:(\.[A-Za-z_]\w*)|(\$\w*)|([A-Za-z_]\w*)|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|([+-]?\d+(?:\.\d+)?)|(:=|[.=|(),])|(\S))/y;
const SPACE = /\s/;

/** The parts of a template, with the space away that "{{-" and "-}}" take. @throws TemplateSyntaxError */
export function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  let line = 1;
  let trims = false;
  const say = (end: number, trimsRight: boolean): void => {
    const raw = text.slice(at, end);
    const left = trims ? raw.trimStart() : raw;
    const said = trimsRight ? left.trimEnd() : left;
    if (said !== '') segments.push({ kind: 'text', text: said, line });
    line += linesIn(raw);
  };
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) {
      say(text.length, false);
      return segments;
    }
    const trimsLeft = text[open + 2] === '-' && SPACE.test(text[open + 3] ?? '');
    say(open, trimsLeft);
    const start = open + (trimsLeft ? 3 : 2);
    const close = closeOf(text, start, line);
    const inside = text.slice(start, close);
    trims = inside.endsWith('-') && SPACE.test(inside.at(-2) ?? '');
    const action = (trims ? inside.slice(0, -1) : inside).trim();
    if (!action.startsWith('/*')) segments.push({ kind: 'action', tokens: tokensOf(action, line), line });
    line += linesIn(inside);
    at = close + 2;
  }
}

const linesIn = (text: string): number => text.split('\n').length - 1;

/** Where the action ends that begins here: at the "}}" that is in no text and no comment. */
function closeOf(text: string, start: number, line: number): number {
  const unclosed = (what: string): TemplateSyntaxError => new TemplateSyntaxError(`line ${line}: unclosed ${what}`);
  const first = text.slice(start, start + 64).trimStart();
  if (first.startsWith('/*')) {
    const end = text.indexOf('*/', start);
    const close = end < 0 ? -1 : text.indexOf('}}', end);
    if (close < 0) throw unclosed('comment');
    return close;
  }
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (char === '}' && text[i + 1] === '}') return i;
    if (char !== '"' && char !== '`') continue;
    i++;
    while (i < text.length && text[i] !== char) i += char === '"' && text[i] === '\\' ? 2 : 1;
  }
  throw unclosed('action');
}

function tokensOf(action: string, line: number): Token[] {
  const tokens: Token[] = [];
  const scanner = new RegExp(TOKEN);
  while (scanner.lastIndex < action.length) {
    const match = scanner.exec(action);
    if (match === null) break;
    const [, space = '', field, variable, word, quoted, number, sign, other] = match;
    if (other !== undefined)
      throw new TemplateSyntaxError(`line ${line}: unexpected ${JSON.stringify(other)} in an action`);
    const joined = space === '' && tokens.length > 0;
    for (const [type, text] of Object.entries({ field, variable, word, string: quoted, number, sign }))
      if (text !== undefined) tokens.push({ type: type as Token['type'], text, joined });
  }
  return tokens;
}
