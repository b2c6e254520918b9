import { resolvePath, type FileSystem } from '../file-system.js';
import { evaluateArithmetic } from './arithmetic.js';
import type { Script, Word, WordPart } from './ast.js';
import { hasPattern, patternSource, trimPattern, type Fragment } from './pattern.js';

/** A failed expansion, e.g. of ${NAME:?message}: ends the shell. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError';
}

/** What expansions read from the shell and change in it. */
export interface ExpansionContext {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  readonly positional: readonly string[];
  readonly nounset: boolean;
  readonly cwd: string;
  readonly files: FileSystem;
  /** Runs a command substitution and returns what it wrote. */
  capture(script: Script): Promise<string>;
}

/** `split` separates fields: what follows belongs to a new one. */
type Piece = Fragment | { readonly split: true };

const DEFAULT_IFS = ' \t\n';

/** Expands a word of a command line to zero or more fields: parameters, commands, splitting, path names, quotes. */
export async function expandWord(word: Word, context: ExpansionContext): Promise<string[]> {
  const fields: Fragment[][] = [];
  let current: Fragment[] | undefined;
  for (const part of word)
    for (const piece of await expandPart(part, context, true)) {
      if ('split' in piece) {
        if (current !== undefined) fields.push(current);
        current = undefined;
      } else if (piece.text !== '' || piece.quoted) (current ??= []).push(piece);
    }
  if (current !== undefined) fields.push(current);
  const literal = (field: readonly Fragment[]): string => field.map(f => f.text).join('');
  return fields.flatMap(field => {
    const found = hasPattern(field) ? expandPathNames(field, context) : [];
    return found.length > 0 ? found : [literal(withHome(field, context))];
  });
}

/** Expands to fragments without splitting: patterns of `case` and `${name#pattern}`. */
export async function expandFragments(word: Word, context: ExpansionContext): Promise<Fragment[]> {
  const fragments: Fragment[] = [];
  for (const part of word)
    for (const piece of await expandPart(part, context, false)) if (!('split' in piece)) fragments.push(piece);
  return fragments;
}

/** Expands to one string: assignments, redirection targets, here-documents. */
export async function expandText(word: Word, context: ExpansionContext): Promise<string> {
  const fragments = await expandFragments(word, context);
  return withHome(fragments, context)
    .map(f => f.text)
    .join('');
}

/** A leading unquoted "~". */
function withHome(fragments: readonly Fragment[], context: ExpansionContext): readonly Fragment[] {
  const [first, ...rest] = fragments;
  if (first === undefined || first.quoted || !/^~(\/|$)/.test(first.text)) return fragments;
  return [{ text: (context.get('HOME') ?? '/root') + first.text.slice(1), quoted: true }, ...rest];
}

async function expandPart(part: WordPart, context: ExpansionContext, splitting: boolean): Promise<Piece[]> {
  switch (part.kind) {
    case 'text':
      return [{ text: part.text, quoted: part.quoted }];
    case 'command': {
      const output = (await context.capture(part.script)).replace(/\n+$/, '');
      return splitFields(output, part.quoted || !splitting, context);
    }
    case 'arithmetic':
      return [{ text: String(evaluateArithmetic(await expandText(part.expression, context), context)), quoted: true }];
    case 'parameter':
      return expandParameter(part, context, splitting);
  }
}

function splitFields(text: string, quoted: boolean, context: ExpansionContext): Piece[] {
  if (quoted) return [{ text, quoted }];
  const ifs = context.get('IFS') ?? DEFAULT_IFS;
  if (ifs === '') return [{ text, quoted }];
  const pieces: Piece[] = [];
  let field = '';
  let afterBlank = false;
  const flush = (): void => {
    if (field !== '') pieces.push({ text: field, quoted: false });
    field = '';
  };
  for (const c of text) {
    if (!ifs.includes(c)) {
      field += c;
      afterBlank = false;
      continue;
    }
    const blank = DEFAULT_IFS.includes(c);
    if (blank && afterBlank) continue;
    // Two separators in a row that are no blanks have an empty field between them.
    if (!blank && field === '' && !afterBlank && pieces.length > 0) pieces.push({ text: '', quoted: true });
    flush();
    pieces.push({ split: true });
    afterBlank = blank;
  }
  flush();
  return pieces;
}

async function expandParameter(
  part: Extract<WordPart, { kind: 'parameter' }>,
  context: ExpansionContext,
  splitting: boolean,
): Promise<Piece[]> {
  const { name, quoted, op, argument = [] } = part;
  if ((name === '@' || name === '*') && op === undefined) return expandAll(name, quoted, context, splitting);
  const value = name === '@' || name === '*' ? context.positional.join(' ') : context.get(name);
  const missing = value === undefined || (op?.startsWith(':') === true && value === '');
  const result = (text: string): Piece[] => splitFields(text, quoted || !splitting, context);
  const otherwise = async (): Promise<Piece[]> => {
    const pieces: Piece[] = [];
    for (const inner of argument) pieces.push(...(await expandPart(inner, context, splitting && !quoted)));
    return quoted ? [{ text: pieces.map(p => ('split' in p ? ' ' : p.text)).join(''), quoted }] : pieces;
  };
  switch (op?.replace(':', '')) {
    case undefined:
      if (value === undefined && context.nounset && name !== '!')
        throw new ExpansionError(`${name}: parameter not set`);
      return result(value ?? '');
    case 'length':
      return [{ text: String((value ?? '').length), quoted: true }];
    case '-':
      return missing ? otherwise() : result(value);
    case '+':
      return missing ? result('') : otherwise();
    case '=': {
      if (!missing) return result(value);
      const text = await expandText(argument, context);
      context.set(name, text);
      return result(text);
    }
    case '?': {
      if (!missing) return result(value);
      const text = await expandText(argument, context);
      throw new ExpansionError(`${name}: ${text === '' ? 'parameter not set' : text}`);
    }
    case '#':
    case '##':
    case '%':
    case '%%':
      return result(trimPattern(value ?? '', await expandFragments(argument, context), op ?? ''));
    case '/':
    case '//': {
      const [pattern = '', replacement = ''] = splitOnce(await expandText(argument, context), '/');
      const source = patternSource([{ text: pattern, quoted: false }]);
      return result((value ?? '').replace(new RegExp(source, op === '//' ? 'g' : ''), () => replacement));
    }
    default:
      throw new ExpansionError('bad substitution');
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function expandAll(name: '@' | '*', quoted: boolean, context: ExpansionContext, splitting: boolean): Piece[] {
  const { positional } = context;
  if (!splitting || (quoted && name === '*')) {
    const separator = (context.get('IFS') ?? DEFAULT_IFS).slice(0, 1);
    return [{ text: positional.join(separator), quoted }];
  }
  return positional.flatMap((text, i): Piece[] => [
    ...(i === 0 ? [] : [{ split: true } as const]),
    ...(quoted ? [{ text, quoted }] : splitFields(text, false, context)),
  ]);
}

/** Path names that a field's pattern matches, sorted; none leaves the field as it is. */
function expandPathNames(field: readonly Fragment[], { cwd, files }: ExpansionContext): string[] {
  const components: Fragment[][] = [[]];
  for (const { text, quoted } of field)
    text.split('/').forEach((piece, i) => {
      if (i > 0) components.push([]);
      components.at(-1)?.push({ text: piece, quoted });
    });
  let found = [''];
  components.forEach((component, depth) => {
    const literal = component.map(f => f.text).join('');
    const join = (base: string, name: string): string => (depth === 0 ? name : `${base}/${name}`);
    if (!hasPattern(component)) {
      found = found.map(base => join(base, literal));
      return;
    }
    const matcher = new RegExp(`^(?:${patternSource(component, { path: true })})$`);
    found = found.flatMap(base => {
      const directory = resolvePath(cwd, depth === 0 ? '.' : base === '' ? '/' : base);
      if (files.kind(directory) !== 'directory') return [];
      return files
        .list(directory)
        .filter(name => matcher.test(name) && (literal.startsWith('.') || !name.startsWith('.')))
        .map(name => join(base, name));
    });
  });
  return found.filter(path => files.kind(resolvePath(cwd, path)) !== undefined).sort();
}
