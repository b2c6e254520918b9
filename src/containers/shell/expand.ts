import { resolvePath, type FileSystem } from '../file-system.js';
import { evaluateArithmetic } from './arithmetic.js';
import type { Script, Word, WordPart } from './ast.js';
import { paced } from '../paced.js';
import { compilePattern, hasPattern, matchesSteps, type Fragment } from './pattern.js';
import { replacePattern, trimPattern } from './replace-pattern.js';

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
  /** Counts work; a promise is to be awaited. */
  turn(work?: number): Promise<void> | undefined;
  /** Asks whether so many bytes may be held. @throws Killed */
  hold(bytes: number): void;
}

/** Characters that are a unit of work. */
const PER_WORK = 1024;

/** Before a string is made: it is paid for, and the others have their turn. */
async function pay(context: ExpansionContext, length: number): Promise<void> {
  if (length < PER_WORK) return;
  context.hold(length);
  await context.turn(Math.ceil(length / PER_WORK));
}

/** `split` separates fields: what follows belongs to a new one. */
type Piece = Fragment | { readonly split: true };

const DEFAULT_IFS = ' \t\n';

/** Expands a word of a command line to zero or more fields: parameters, commands, splitting, path names, quotes. */
export async function expandWord(word: Word, context: ExpansionContext): Promise<string[]> {
  const fields: Fragment[][] = [];
  let current: Fragment[] | undefined;
  let length = 0;
  let count = 0;
  for (const part of word)
    for (const piece of await expandPart(part, context, true)) {
      if (++count % FIELDS_PER_TURN === 0) await context.turn();
      if ('split' in piece) {
        if (current !== undefined) fields.push(current);
        current = undefined;
      } else if (piece.text !== '' || piece.quoted) {
        (current ??= []).push(piece);
        length += piece.text.length;
      }
    }
  if (current !== undefined) fields.push(current);
  await pay(context, length + fields.length * FIELD_BYTES);
  const literal = (field: readonly Fragment[]): string => field.map(f => f.text).join('');
  const words: string[] = [];
  for (const field of fields) {
    if (words.length % FIELDS_PER_TURN === 0) await context.turn();
    const found = hasPattern(field) ? await expandPathNames(field, context) : [];
    if (found.length > 0) for (const name of found) words.push(name);
    else words.push(literal(withHome(field, context)));
  }
  return words;
}

const FIELD_BYTES = 32;
const FIELDS_PER_TURN = 256;
const lengthOf = (fragments: readonly Fragment[]): number => fragments.reduce((sum, f) => sum + f.text.length, 0);

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
  await pay(context, lengthOf(fragments));
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
      const all = await context.capture(part.script);
      let end = all.length;
      while (end > 0 && all[end - 1] === '\n') end--;
      const output = all.slice(0, end);
      return splitFields(output, part.quoted || !splitting, context);
    }
    case 'arithmetic':
      return [{ text: String(evaluateArithmetic(await expandText(part.expression, context), context)), quoted: true }];
    case 'parameter':
      return expandParameter(part, context, splitting);
  }
}

async function splitFields(text: string, quoted: boolean, context: ExpansionContext): Promise<Piece[]> {
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
  let count = 0;
  for (const c of text) {
    if (++count % PER_WORK === 0) await context.turn();
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
  const turn = (work?: number): Promise<void> | undefined => context.turn(work);
  const missing = value === undefined || (op?.startsWith(':') === true && value === '');
  const result = (text: string): Promise<Piece[]> => splitFields(text, quoted || !splitting, context);
  const otherwise = async (): Promise<Piece[]> => {
    const pieces: Piece[] = [];
    for (const inner of argument)
      for (const piece of await expandPart(inner, context, splitting && !quoted)) pieces.push(piece);
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
      return result(await paced(trimPattern(value ?? '', await expandFragments(argument, context), op ?? ''), turn));
    case '/':
    case '//': {
      const [pattern = '', replacement = ''] = splitOnce(await expandText(argument, context), '/');
      await pay(context, (value ?? '').length * (1 + (op === '//' ? replacement.length : 0)));
      return result(
        await paced(replacePattern(value ?? '', [{ text: pattern, quoted: false }], replacement, op === '//'), turn),
      );
    }
    case 'substring': {
      const [from = '', length] = splitOnce(await expandText(argument, context), ':', true);
      return result(
        substring(
          value ?? '',
          Number(evaluateArithmetic(from, context)),
          length === undefined ? undefined : Number(evaluateArithmetic(length, context)),
        ),
      );
    }
    default:
      throw new ExpansionError('bad substitution');
  }
}

/** ${name:offset:length}: a negative one counts from the end. */
function substring(value: string, from: number, length: number | undefined): string {
  const start = from < 0 ? Math.max(0, value.length + from) : from;
  if (length === undefined) return value.slice(start);
  return length < 0 ? value.slice(start, Math.max(start, value.length + length)) : value.slice(start, start + length);
}

function splitOnce(text: string, separator: string, optional: true): [string, string | undefined];
function splitOnce(text: string, separator: string): [string, string];
function splitOnce(text: string, separator: string, optional = false): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, optional ? undefined : ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

async function expandAll(
  name: '@' | '*',
  quoted: boolean,
  context: ExpansionContext,
  splitting: boolean,
): Promise<Piece[]> {
  const { positional } = context;
  if (!splitting || (quoted && name === '*')) {
    const separator = (context.get('IFS') ?? DEFAULT_IFS).slice(0, 1);
    return [{ text: positional.join(separator), quoted }];
  }
  const pieces: Piece[] = [];
  for (const [i, text] of positional.entries()) {
    if (i > 0) pieces.push({ split: true });
    if (quoted) pieces.push({ text, quoted });
    else for (const piece of await splitFields(text, false, context)) pieces.push(piece);
  }
  return pieces;
}

/** Path names that a field's pattern matches, sorted; none leaves the field as it is. */
async function expandPathNames(field: readonly Fragment[], context: ExpansionContext): Promise<string[]> {
  const { cwd, files } = context;
  const components: Fragment[][] = [[]];
  for (const { text, quoted } of field)
    text.split('/').forEach((piece, i) => {
      if (i > 0) components.push([]);
      components.at(-1)?.push({ text: piece, quoted });
    });
  let found = [''];
  for (const [depth, component] of components.entries()) {
    const literal = component.map(f => f.text).join('');
    const join = (base: string, name: string): string => (depth === 0 ? name : `${base}/${name}`);
    if (!hasPattern(component)) {
      found = found.map(base => join(base, literal));
      continue;
    }
    const steps = compilePattern(component);
    const next: string[] = [];
    for (const base of found) {
      await context.turn();
      const directory = resolvePath(cwd, depth === 0 ? '.' : base === '' ? '/' : base);
      if (files.kind(directory) !== 'directory' || !files.allows(directory, 'read')) continue;
      for (const name of files.list(directory)) {
        if (name.startsWith('.') && !literal.startsWith('.')) continue;
        if (name.length * steps.length > PER_WORK)
          await context.turn(Math.ceil((name.length * steps.length) / PER_WORK));
        if (!matchesSteps(steps, name)) continue;
        const path = join(base, name);
        next.push(path);
        if (next.length % 64 === 0) await pay(context, next.length * (path.length + FIELD_BYTES));
      }
    }
    found = next;
  }
  const there = found.filter(
    path => files.kind(resolvePath(cwd, path)) !== undefined || files.isLink(resolvePath(cwd, path)),
  );
  return there.sort();
}
