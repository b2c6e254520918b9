import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { eachLine, TextOutput } from './lines.js';
import { parseOptions } from './options.js';

const visible = (line: string, tabs: boolean): string =>
  line.replace(/[\x00-\x1f\x7f-\xff]/g, c => {
    const code = c.charCodeAt(0);
    if (c === '\t') return tabs ? '^I' : c;
    const low = code & 0x7f;
    const shown = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low);
    return code > 127 ? `M-${shown}` : shown;
  });

export const cat: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'nvbteAuET' });
  let number = 0;
  const plain = !['n', 'v', 'b', 't', 'e', 'A', 'E', 'T'].some(has);
  const marks = has('v') || has('t') || has('e') || has('A');
  return forEachInput(process, operands, async input => {
    if (plain) {
      for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal))
        await process.stdout.write(chunk);
      return;
    }
    const out = new TextOutput(process.stdout);
    await eachLine(
      process,
      input,
      (line, terminated) => {
        const numbered = has('n') || (has('b') && line !== '');
        const text = marks ? visible(line, has('t') || has('A') || has('T')) : line;
        const end = has('e') || has('A') || has('E') ? '$\n' : '\n';
        return out.write(`${numbered ? `${String(++number).padStart(6)}\t` : ''}${text}${terminated ? end : ''}`);
      },
      out,
    );
  });
};
