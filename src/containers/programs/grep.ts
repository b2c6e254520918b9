import type { FileError } from '../file-system.js';
import { resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { compileRegex, RegexError, type Regex } from '../../machinery/regex/regex.js';
import { parseCount } from './counts.js';
import { forEachInput, openInput } from './each-input.js';
import { asBytes, eachLine, fromBytes, holdAll, TextOutput } from './lines.js';
import { parseOptions, type Options } from './options.js';
import { walk } from './walk.js';

const LONG = {
  'invert-match': 'v',
  'ignore-case': 'i',
  count: 'c',
  quiet: 'q',
  silent: 'q',
  'only-matching': 'o',
  'line-number': 'n',
  color: 'color',
  colour: 'color',
  'extended-regexp': 'E',
  'fixed-strings': 'F',
  'word-regexp': 'w',
  'line-regexp': 'x',
  'files-with-matches': 'l',
  'files-without-match': 'L',
  'no-filename': 'h',
  'with-filename': 'H',
  'no-messages': 's',
  recursive: 'r',
  'max-count': 'm:',
  'after-context': 'A:',
  'before-context': 'B:',
  context: 'C:',
  regexp: 'e:',
  file: 'f:',
  text: 'a',
  include: 'include:',
  'line-buffered': 'u',
};

/** grep [-EFivcnqlLohHwxsrau] [-m N] [-A N] [-B N] [-C N] [-e PATTERN|-f FILE]... [FILE...] */
export const grep: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'vicnqlLohHEFGPwxsrRauze:f:m:A:B:C:', long: LONG });
  const files = [...options.operands];
  const patterns = [...options.all('e')];
  for (const name of options.all('f')) {
    const text = fromBytes(await holdAll(process, await openInput(process, name))).replace(/\n$/, '');
    patterns.push(text);
  }
  if (patterns.length === 0) {
    const pattern = files.shift();
    if (pattern === undefined) {
      await process.stderr.write('grep: usage: grep [-HhnlLoqvsrRiwFE] [-m N] [-A|B|C N] PATTERN [FILE]...\n');
      return 2;
    }
    patterns.push(pattern);
  }
  const name = process.args[0] ?? 'grep';
  const literal = options.has('F') || name.endsWith('fgrep');
  const extended = options.has('E') || options.has('P') || name.endsWith('egrep');
  let regex: Regex;
  try {
    regex = compileRegex(
      patterns.flatMap(p => asBytes(p).split('\n')),
      { extended, literal, ignoreCase: options.has('i') },
      process.turn,
    );
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    await process.stderr.write(`grep: bad regex '${patterns[0] ?? ''}': ${error.message}\n`);
    return 2;
  }
  const recursive = options.has('r') || options.has('R');
  const names = recursive ? await filesBelow(process, files.length === 0 ? ['.'] : files, options) : files;
  const search = new Search(
    process,
    options,
    regex,
    !options.has('h') && (names.length > 1 || options.has('H') || recursive),
  );
  const status =
    recursive && names.length === 0
      ? 0
      : await forEachInput(
          process,
          names,
          (input, file) => search.run(input, file),
          (file, error) => `${file}: ${error.message}`,
        );
  if (search.quit) return 0;
  return status !== 0 && !options.has('s') ? 2 : search.found ? 0 : 1;
};

async function filesBelow(process: Process, starts: readonly string[], options: Options): Promise<string[]> {
  const { files } = process.container;
  const names: string[] = [];
  const complain = async (path: string, error: FileError): Promise<void> => {
    await process.stderr.write(`grep: ${path}: ${error.message}\n`);
  };
  const suffix = options.get('include')?.replace(/^\*/, '');
  for (const start of starts)
    for await (const path of walk(process, start, { complain })) {
      const kind = files.kind(resolvePath(process.cwd, path));
      if (kind !== 'directory' && (suffix === undefined || path.endsWith(suffix))) names.push(path);
    }
  return names;
}

const isWord = (c: string | undefined): boolean => c !== undefined && /^\w$/.test(c);

/** Matches of one line between two looks at the time. */
const MATCHES_PER_TURN = 32;

class Search {
  found = false;
  /** With -q: found, and nothing more is to be read. */
  quit = false;
  private readonly limit: number;
  private readonly before: number;
  private readonly after: number;

  constructor(
    private readonly process: Process,
    private readonly options: Options,
    private readonly regex: Regex,
    private readonly withName: boolean,
  ) {
    const count = (name: string): number => parseCount(options.get(name) ?? options.get('C') ?? '0');
    this.limit = options.get('m') === undefined ? Infinity : parseCount(options.get('m') ?? '0');
    this.before = count('B');
    this.after = count('A');
  }

  async run(input: Process['stdin'], file: string): Promise<'stop' | void> {
    const { process, options } = this;
    const name = file === '-' ? '(standard input)' : file;
    const out = new TextOutput(process.stdout);
    const prefix = (separator: string, number: number): string =>
      `${this.withName ? `${name}${separator}` : ''}${options.has('n') ? `${number}${separator}` : ''}`;
    const listing = ['q', 'l', 'L', 'c'].some(options.has);
    let count = 0;
    let number = 0;
    let trailing = 0;
    let lastShown = 0;
    let recent: { readonly number: number; readonly line: string }[] = [];
    const context = (at: number, line: string, separator: string): Promise<void> | undefined => {
      const gap = (this.before > 0 || this.after > 0) && lastShown > 0 && at > lastShown + 1 ? '--\n' : '';
      lastShown = at;
      return out.write(`${gap}${prefix(separator, at)}${line}\n`);
    };
    await eachLine(
      process,
      input,
      async line => {
        number++;
        if (count >= this.limit && trailing === 0) return 'stop';
        const first = count < this.limit ? this.match(line) : false;
        const matched = first instanceof Promise ? await first : first;
        if (count < this.limit && matched !== options.has('v')) {
          count++;
          this.found = true;
          if (options.has('q')) {
            this.quit = true;
            return 'stop';
          }
          if (options.has('l') || options.has('L')) return 'stop';
          if (options.has('c')) return undefined;
          if (options.has('o')) {
            if (!options.has('v')) await this.onlyMatches(line, text => out.write(`${prefix(':', number)}${text}\n`));
          } else {
            for (const earlier of recent) await context(earlier.number, earlier.line, '-');
            recent = [];
            const wait = context(number, line, ':');
            if (wait !== undefined) await wait;
          }
          trailing = this.after;
          return count >= this.limit && trailing === 0 ? 'stop' : undefined;
        }
        if (listing) return undefined;
        if (trailing > 0) {
          trailing--;
          return void (await context(number, line, '-'));
        }
        if (this.before > 0) {
          recent.push({ number, line });
          if (recent.length > this.before) recent.shift();
        }
        return undefined;
      },
      out,
    );
    if (options.has('c')) await out.write(`${this.withName ? `${name}:` : ''}${count}\n`);
    if (options.has('l') && count > 0) await out.write(`${name}\n`);
    if (options.has('L') && count === 0) await out.write(`${name}\n`);
    await out.flush();
    return this.quit ? 'stop' : undefined;
  }

  private match(line: string): boolean | Promise<boolean> {
    const { options, regex } = this;
    if (options.has('x')) return this.wholeLine(line);
    if (!options.has('w')) return regex.test(line);
    return this.words(line, () => undefined);
  }

  private async wholeLine(line: string): Promise<boolean> {
    const found = await this.regex.exec(line);
    return found !== undefined && found.start === 0 && found.end === line.length;
  }

  /** Matches between characters that belong to no word. */
  private async words(line: string, each: (text: string) => Promise<void> | undefined): Promise<boolean> {
    let any = false;
    let tried = 0;
    for (let from = 0; from <= line.length;) {
      if (++tried % MATCHES_PER_TURN === 0) await this.process.turn();
      const found = await this.regex.exec(line, from);
      if (found === undefined) return any;
      const fits = !isWord(line[found.start - 1]) && !isWord(line[found.end]);
      if (fits && found.end > found.start) {
        any = true;
        await each(line.slice(found.start, found.end));
      }
      from = fits ? Math.max(found.end, found.start + 1) : found.start + 1;
    }
    return any;
  }

  private async onlyMatches(line: string, show: (text: string) => Promise<void> | undefined): Promise<void> {
    if (this.options.has('w')) return void (await this.words(line, show));
    let tried = 0;
    for (let from = 0; from <= line.length;) {
      if (++tried % MATCHES_PER_TURN === 0) await this.process.turn();
      const found = await this.regex.exec(line, from);
      if (found === undefined) return;
      if (found.end > found.start) await show(line.slice(found.start, found.end));
      from = Math.max(found.end, found.start + 1);
    }
  }
}
