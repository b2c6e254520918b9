import { resolvePath } from '../file-system.js';
import { readAll, readLines } from '../io.js';
import type { Process, Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { parseOptions } from './options.js';
import { CLASSES } from './regex.js';

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
