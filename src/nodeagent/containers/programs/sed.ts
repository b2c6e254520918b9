import { readLines } from '../io.js';
import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { parseOptions } from './options.js';
import { regexSource } from './regex.js';

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
