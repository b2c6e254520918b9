import type { Program } from '../process.js';
import { unescapeText } from './escapes.js';
import { asBytes, toBytes } from './lines.js';

/** echo [-neE] WORD...; \c ends the output. */
export const echo: Program = async ({ args, stdout }) => {
  const words = args.slice(1);
  let newline = true;
  let escapes = false;
  while (/^-[neE]+$/.test(words[0] ?? '')) {
    const flags = words.shift() ?? '';
    if (flags.includes('n')) newline = false;
    if (flags.includes('e')) escapes = true;
    if (flags.includes('E')) escapes = false;
  }
  let text = asBytes(words.join(' '));
  if (escapes) {
    const end = /(?:^|[^\\])(?:\\\\)*\\c/.exec(text);
    if (end !== null) {
      text = text.slice(0, end.index + end[0].length - 2);
      newline = false;
    }
    text = unescapeText(text);
  }
  await stdout.write(toBytes(text + (newline ? '\n' : '')));
  return 0;
};
