import { FileError, resolvePath } from '../file-system.js';
import { inputOf, readAll, readLines, type Input } from '../io.js';
import type { Process, Program } from '../process.js';
import { parseOptions } from './options.js';

/** Runs `each` on every named file, or on stdin when there is none ("-" is stdin). 1 when one could not be read. */
export async function forEachInput(
  process: Process,
  files: readonly string[],
  each: (input: Input, name: string) => Promise<void>,
): Promise<number> {
  let status = 0;
  for (const name of files.length === 0 ? ['-'] : files) {
    if (name === '-') {
      await each(process.stdin, name);
      continue;
    }
    try {
      await each(inputOf(await process.container.files.read(resolvePath(process.cwd, name))), name);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`${process.args[0] ?? ''}: can't open '${name}': ${error.message}\n`);
      status = 1;
    }
  }
  return status;
}

const allLines = async (process: Process, files: readonly string[]): Promise<{ lines: string[]; status: number }> => {
  const lines: string[] = [];
  const status = await forEachInput(process, files, async input => {
    for await (const line of readLines(input, process.signal)) lines.push(line);
  });
  return { lines, status };
};

const unescape = (text: string): string =>
  text.replace(/\\(n|t|r|a|b|f|v|\\|0[0-7]{0,3}|x[0-9a-fA-F]{1,2}|e)/g, (_, code: string) => {
    const simple: Record<string, string> = {
      n: '\n',
      t: '\t',
      r: '\r',
      a: '\x07',
      b: '\b',
      f: '\f',
      v: '\v',
      e: '\x1b',
    };
    if (code === '\\') return '\\';
    if (code.startsWith('0')) return String.fromCharCode(parseInt(code, 8) || 0);
    if (code.startsWith('x')) return String.fromCharCode(parseInt(code.slice(1), 16));
    return simple[code] ?? code;
  });

export const echo: Program = async ({ args, stdout }) => {
  const words = args.slice(1);
  let newline = true;
  let escapes = false;
  while (/^-[neE]+$/.test(words[0] ?? '')) {
    const flags = words.shift() ?? '';
    if (flags.includes('n')) newline = false;
    if (flags.includes('e')) escapes = true;
  }
  const text = words.join(' ');
  await stdout.write((escapes ? unescape(text) : text) + (newline ? '\n' : ''));
  return 0;
};

export const printf: Program = async ({ args, stdout, stderr }) => {
  const [, format, ...values] = args;
  if (format === undefined) {
    await stderr.write('printf: usage: printf FORMAT [ARG]...\n');
    return 1;
  }
  const queue = [...values];
  let output = '';
  do {
    output += unescape(format).replace(
      /%(-?)(0?)(\d*)(?:\.(\d+))?([sdifxXoucbq%])/g,
      (_, left, zero, width, precision, kind) => {
        if (kind === '%') return '%';
        const value = queue.shift();
        let text = '';
        if (kind === 's') text = (value ?? '').slice(0, precision === undefined ? undefined : Number(precision));
        else if (kind === 'b') text = unescape(value ?? '');
        else if (kind === 'c') text = (value ?? '').slice(0, 1);
        else if (kind === 'q') text = `'${value ?? ''}'`;
        else if (kind === 'f') text = Number(value ?? 0).toFixed(Number(precision ?? 6));
        else text = Math.trunc(Number(value ?? 0)).toString(kind === 'x' || kind === 'X' ? 16 : kind === 'o' ? 8 : 10);
        if (kind === 'X') text = text.toUpperCase();
        const size = Number(width === '' ? 0 : width);
        return left === '-' ? text.padEnd(size) : text.padStart(size, zero === '0' && kind !== 's' ? '0' : ' ');
      },
    );
  } while (queue.length > 0 && queue.length < values.length && /%[^%]/.test(format));
  await stdout.write(output);
  return 0;
};

export const cat: Program = process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'nvteAu' });
  let number = 0;
  return forEachInput(process, operands, async input => {
    if (has('n')) {
      for await (const line of readLines(input, process.signal))
        await process.stdout.write(`${String(++number).padStart(6)}\t${line}\n`);
      return;
    }
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal))
      await process.stdout.write(chunk);
  });
};

export const grep: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'vicnqlohHEFwxsre:m:A:B:C:',
    long: {
      invert: 'v',
      'invert-match': 'v',
      'ignore-case': 'i',
      count: 'c',
      quiet: 'q',
      'only-matching': 'o',
      'line-number': 'n',
      color: 'color',
      'extended-regexp': 'E',
    },
  });
  const files = [...options.operands];
  const patterns = options.all('e').length > 0 ? options.all('e') : [files.shift() ?? ''];
  const extended = options.has('E') || process.args[0] === 'egrep';
  const sources = patterns
    .flatMap(p => p.split('\n'))
    .map(p =>
      options.has('F') || process.args[0] === 'fgrep'
        ? p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        : regexSource(p, extended),
    );
  let source = sources.map(s => `(?:${s})`).join('|');
  if (options.has('w')) source = `\\b(?:${source})\\b`;
  if (options.has('x')) source = `^(?:${source})$`;
  const flags = options.has('i') ? 'gi' : 'g';
  const limit = Number(options.get('m') ?? Infinity);
  const before = Number(options.get('B') ?? options.get('C') ?? 0);
  const after = Number(options.get('A') ?? options.get('C') ?? 0);
  const withName = !options.has('h') && (files.length > 1 || options.has('H'));
  let found = false;
  const status = await forEachInput(process, files, async (input, name) => {
    const prefix = withName ? `${name === '-' ? '(standard input)' : name}:` : '';
    let count = 0;
    let number = 0;
    let trailing = 0;
    const recent: string[] = [];
    for await (const line of readLines(input, process.signal)) {
      number++;
      const matches = [...line.matchAll(new RegExp(source, flags))];
      const hit = matches.length > 0 !== options.has('v');
      const show = (text: string): void | Promise<void> =>
        process.stdout.write(`${prefix}${options.has('n') ? `${number}:` : ''}${text}\n`);
      if (hit) {
        count++;
        found = true;
        if (options.has('q')) return;
        if (options.has('l') || options.has('c')) continue;
        for (const earlier of recent.splice(0)) await process.stdout.write(`${earlier}\n`);
        if (options.has('o')) for (const match of matches) await show(match[0]);
        else await show(line);
        trailing = after;
        if (count >= limit) break;
      } else if (trailing > 0) {
        trailing--;
        await process.stdout.write(`${line}\n`);
      } else if (before > 0) {
        recent.push(line);
        if (recent.length > before) recent.shift();
      }
    }
    if (options.has('c')) await process.stdout.write(`${prefix}${count}\n`);
    if (options.has('l') && count > 0) await process.stdout.write(`${name}\n`);
  });
  return status !== 0 ? 2 : found ? 0 : 1;
};

const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
};

/** POSIX basic (or extended) regular expression to a JavaScript one. */
function regexSource(pattern: string, extended: boolean): string {
  const classes = pattern.replace(/\[:(\w+):\]/g, (_, name: string) => CLASSES[name] ?? name);
  if (extended) return classes;
  return classes.replace(
    /\\([+?|(){}])|([+?|(){}])|\\(.)/g,
    (match, special: string | undefined, plain: string | undefined) =>
      special !== undefined ? special : plain !== undefined ? `\\${plain}` : match,
  );
}

/** "-n 5", "-5". */
function lineCount(args: readonly string[], short: string) {
  const normal = args.map(arg => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg));
  const options = parseOptions(normal, { short, long: { lines: 'n:', bytes: 'c:', follow: 'f' } });
  return { options, lines: Number((options.get('n') ?? '10').replace(/^\+/, '')) };
}

export const head: Program = async process => {
  const { options, lines } = lineCount(process.args.slice(1), 'n:c:qv');
  const bytes = options.get('c');
  return forEachInput(process, options.operands, async input => {
    if (bytes !== undefined) {
      const data = await readAll(input, process.signal);
      await process.stdout.write(data.subarray(0, Number(bytes)));
      return;
    }
    let count = 0;
    if (lines <= 0) return;
    for await (const line of readLines(input, process.signal)) {
      await process.stdout.write(`${line}\n`);
      if (++count >= lines) return;
    }
  });
};

export const tail: Program = async process => {
  const { options, lines } = lineCount(process.args.slice(1), 'n:c:fFq');
  const status = await forEachInput(process, options.operands, async input => {
    const data = await readAll(input, process.signal);
    const bytes = options.get('c');
    if (bytes !== undefined)
      return void (await process.stdout.write(data.subarray(Math.max(0, data.length - Number(bytes)))));
    const text = data.toString('utf8');
    const all = text.replace(/\n$/, '').split('\n');
    const from = options.get('n')?.startsWith('+') === true ? lines - 1 : Math.max(0, all.length - lines);
    const kept = text === '' ? [] : all.slice(from);
    if (kept.length > 0) await process.stdout.write(`${kept.join('\n')}\n`);
  });
  if (options.has('f') || options.has('F')) await follow(process, options.operands);
  return status;
};

/** Prints what is appended, as tail -f, looking once a second. Ends with the process. */
async function follow(process: Process, names: readonly string[]): Promise<void> {
  const { files, clock } = process.container;
  const size = async (path: string): Promise<number> => (await files.stat(path))?.size ?? 0;
  const paths = names.map(name => resolvePath(process.cwd, name));
  const seen = new Map<string, number>();
  for (const path of paths) seen.set(path, await size(path));
  for (;;) {
    await clock.sleep(1000, process.signal);
    for (const path of paths) {
      const length = await size(path);
      const old = seen.get(path) ?? 0;
      if (length > old) await process.stdout.write((await files.read(path)).subarray(old));
      seen.set(path, length);
    }
  }
}

export const wc: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'lwcm' });
  const all = !(has('l') || has('w') || has('c') || has('m'));
  const total = [0, 0, 0];
  const print = (counts: readonly number[], name: string): void | Promise<void> => {
    const columns = [has('l') || all, has('w') || all, has('c') || has('m') || all];
    const shown = counts.filter((_, i) => columns[i] === true);
    const text =
      shown.length === 1 && name === '' ? String(shown[0]) : shown.map(n => String(n).padStart(all ? 9 : 1)).join(' ');
    return process.stdout.write(`${text}${name === '' ? '' : ` ${name}`}\n`);
  };
  const status = await forEachInput(process, operands, async (input, name) => {
    const data = await readAll(input, process.signal);
    const text = data.toString('utf8');
    const counts = [text.split('\n').length - 1, text.split(/\s+/).filter(w => w !== '').length, data.length];
    counts.forEach((n, i) => (total[i] = (total[i] ?? 0) + n));
    await print(counts, name === '-' ? '' : name);
  });
  if (operands.length > 1) await print(total, 'total');
  return status;
};

export const sort: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'nrubfst:k:' });
  const { lines, status } = await allLines(process, options.operands);
  const field = /^(\d+)/.exec(options.get('k') ?? '')?.[1];
  const numeric = options.has('n') || /n/.test(options.get('k') ?? '');
  const separator = options.get('t') ?? /\s+/;
  const key = (line: string): string => (field === undefined ? line : (line.split(separator)[Number(field) - 1] ?? ''));
  const compare = (a: string, b: string): number => {
    if (numeric && parseFloat(key(a)) !== parseFloat(key(b)))
      return (parseFloat(key(a)) || 0) - (parseFloat(key(b)) || 0);
    return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a < b ? -1 : a > b ? 1 : 0;
  };
  let sorted = lines.sort(compare);
  if (options.has('r')) sorted.reverse();
  if (options.has('u')) sorted = sorted.filter((line, i) => i === 0 || line !== sorted[i - 1]);
  for (const line of sorted) await process.stdout.write(`${line}\n`);
  return status;
};

export const uniq: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'cdu' });
  const { lines, status } = await allLines(process, operands);
  for (let i = 0; i < lines.length;) {
    let n = 1;
    while (i + n < lines.length && lines[i + n] === lines[i]) n++;
    const wanted = has('d') ? n > 1 : has('u') ? n === 1 : true;
    if (wanted) await process.stdout.write(`${has('c') ? `${String(n).padStart(7)} ` : ''}${lines[i] ?? ''}\n`);
    i += n;
  }
  return status;
};

export const cut: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'd:f:c:b:s' });
  const list = options.get('f') ?? options.get('c') ?? options.get('b') ?? '';
  const ranges = list.split(',').map(part => {
    const [from = '', to] = part.split('-');
    return {
      from: Number(from === '' ? 1 : from),
      to: to === undefined ? Number(from) : to === '' ? Infinity : Number(to),
    };
  });
  const wanted = (i: number): boolean => ranges.some(r => i + 1 >= r.from && i + 1 <= r.to);
  const delimiter = options.get('d') ?? '\t';
  return forEachInput(process, options.operands, async input => {
    for await (const line of readLines(input, process.signal)) {
      const pick = (parts: string[], glue: string): string => parts.filter((_, i) => wanted(i)).join(glue);
      const whole = options.has('f') && !line.includes(delimiter);
      await process.stdout.write(
        `${whole ? line : options.has('f') ? pick(line.split(delimiter), delimiter) : pick([...line], '')}\n`,
      );
    }
  });
};

export const tr: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'dscC' });
  const expand = (set: string): string[] => {
    const named = unescape(set)
      .replace(/\[:(\w+):\]/g, (_, name: string) => CLASSES[name] ?? '')
      .replace(/\\s/g, ' \t\n\r\v\f');
    return [
      ...named.replace(/(.)-(.)/gs, (_, a: string, b: string) => {
        let out = '';
        for (let c = a.charCodeAt(0); c <= b.charCodeAt(0); c++) out += String.fromCharCode(c);
        return out;
      }),
    ];
  };
  const from = expand(operands[0] ?? '');
  const to = expand(operands[1] ?? '');
  const inSet = (c: string): boolean => from.includes(c) !== (has('c') || has('C'));
  const text = (await readAll(process.stdin, process.signal)).toString('utf8');
  let output = '';
  let last = '';
  for (const c of text) {
    const hit = inSet(c);
    if (hit && has('d')) continue;
    const mapped = hit && to.length > 0 ? (to[Math.min(Math.max(0, from.indexOf(c)), to.length - 1)] ?? c) : c;
    if (has('s') && hit && mapped === last) continue;
    last = hit ? mapped : '';
    output += mapped;
  }
  await process.stdout.write(output);
  return 0;
};

/** s/pattern/replacement/flags, /pattern/d, /pattern/p, Nd, Np, q; -n, -e, -E. */
export const sed: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'nEre:' });
  const files = [...options.operands];
  const scripts = options.all('e').length > 0 ? options.all('e') : [files.shift() ?? ''];
  const extended = options.has('E') || options.has('r');
  const commands = scripts
    .flatMap(s => s.split(/[;\n]/))
    .map(s => s.trim())
    .filter(s => s !== '')
    .map(text => {
      const parsed = /^(?:(\d+|\$)|\/((?:[^/\\]|\\.)*)\/)?\s*([spdq])(.*)$/.exec(text);
      if (parsed === null) throw new Error(`unsupported command ${text}`);
      const [, line, address, verb = '', rest = ''] = parsed;
      const body = verb === 's' ? splitSubstitution(rest) : undefined;
      if (verb === 's' && body === undefined) throw new Error(`bad substitution ${text}`);
      return {
        line,
        address: address === undefined ? undefined : new RegExp(regexSource(address, extended)),
        verb,
        body,
      };
    });
  return forEachInput(process, files, async input => {
    let number = 0;
    for await (const original of readLines(input, process.signal)) {
      number++;
      let line = original;
      let print = !options.has('n');
      let quit = false;
      for (const { line: at, address, verb, body } of commands) {
        if (at !== undefined && at !== String(number)) continue;
        if (address !== undefined && !address.test(line)) continue;
        if (verb === 'd') print = false;
        if (verb === 'p') await process.stdout.write(`${line}\n`);
        if (verb === 'q') quit = true;
        if (body !== undefined) {
          const expression = new RegExp(
            regexSource(body.pattern, extended),
            `${body.flags.includes('g') ? 'g' : ''}${/[iI]/.test(body.flags) ? 'i' : ''}`,
          );
          const replacement = body.replacement
            .replace(/\$/g, '$$$$')
            .replace(/\\(\d)|\\(.)|&/g, (_, group?: string, escaped?: string) =>
              group !== undefined ? `$${group}` : escaped !== undefined ? (escaped === 'n' ? '\n' : escaped) : '$&',
            );
          const replaced = line.replace(expression, replacement);
          if (body.flags.includes('p') && replaced !== line) await process.stdout.write(`${replaced}\n`);
          line = replaced;
        }
      }
      if (print) await process.stdout.write(`${line}\n`);
      if (quit) return;
    }
  });
};

function splitSubstitution(text: string): { pattern: string; replacement: string; flags: string } | undefined {
  const separator = text[0];
  if (separator === undefined) return undefined;
  const parts = [''];
  for (let i = 1; i < text.length; i++) {
    const c = text[i] ?? '';
    const last = parts.length - 1;
    if (c === '\\' && i + 1 < text.length)
      parts[last] += text[i + 1] === separator ? (text[++i] ?? '') : c + (text[++i] ?? '');
    else if (c === separator && parts.length < 3) parts.push('');
    else parts[last] += c;
  }
  const [pattern = '', replacement, flags] = parts;
  return replacement === undefined || flags === undefined ? undefined : { pattern, replacement, flags };
}

export const tee: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'ai' });
  const data = await readAll(process.stdin, process.signal);
  for (const name of operands)
    await process.container.files.write(resolvePath(process.cwd, name), data, { append: has('a') });
  await process.stdout.write(data);
  return 0;
};

export const seq: Program = async ({ args, stdout }) => {
  const numbers = args
    .slice(1)
    .filter(a => a !== '-w')
    .map(Number);
  const [first, step, last] =
    numbers.length === 1
      ? [1, 1, numbers[0] ?? 0]
      : numbers.length === 2
        ? [numbers[0] ?? 1, 1, numbers[1] ?? 0]
        : [numbers[0] ?? 1, numbers[1] ?? 1, numbers[2] ?? 0];
  if (step === 0) return 1;
  for (let n = first; step > 0 ? n <= last : n >= last; n += step) await stdout.write(`${n}\n`);
  return 0;
};

export const yes: Program = async process => {
  const text = `${process.args.slice(1).join(' ') || 'y'}\n`.repeat(64);
  for (;;) {
    process.signal.throwIfAborted();
    await process.stdout.write(text);
    await new Promise(resolve => setImmediate(resolve));
  }
};

export const base64: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'dw:', long: { decode: 'd' } });
  return forEachInput(process, operands, async input => {
    const data = await readAll(input, process.signal);
    if (has('d')) await process.stdout.write(Buffer.from(data.toString('utf8'), 'base64'));
    else await process.stdout.write(`${data.toString('base64')}\n`);
  });
};
