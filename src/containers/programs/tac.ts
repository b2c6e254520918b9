import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { eachLine, HeldLines, TextOutput } from './lines.js';

/** tac [FILE...] */
export const tac: Program = process =>
  forEachInput(process, process.args.slice(1), async input => {
    const held = new HeldLines(process);
    await eachLine(process, input, (line, terminated) => held.push(terminated ? `${line}\n` : line));
    const out = new TextOutput(process.stdout);
    for (let line = held.lines.pop(); line !== undefined; line = held.lines.pop()) {
      const wait = out.write(line);
      if (wait !== undefined) await wait;
    }
    await out.flush();
    held.release();
  });
