import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { asText, asBytes, eachLine, TextOutput } from './lines.js';

/** rev [FILE...]: characters, as in a UTF-8 locale. */
export const rev: Program = process =>
  forEachInput(process, process.args.slice(1), async input => {
    const out = new TextOutput(process.stdout);
    await eachLine(
      process,
      input,
      (line, terminated) => out.write(asBytes([...asText(line)].reverse().join('')) + (terminated ? '\n' : '')),
      out,
    );
  });
