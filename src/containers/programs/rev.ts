import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { asText, asBytes, eachLine, TextOutput } from './lines.js';

/** Bytes turned round at a time. */
const PIECE = 8192;

const isMiddle = (line: string, at: number): boolean => (line.charCodeAt(at) & 0xc0) === 0x80;

/** The pieces of a line from its last to its first, each of whole characters. */
function* backwards(line: string): Generator<string> {
  for (let end = line.length; end > 0;) {
    let start = Math.max(0, end - PIECE);
    for (let i = 0; i < 3 && start > 0 && isMiddle(line, start); i++) start--;
    yield line.slice(start, end);
    end = start;
  }
}

/** rev [FILE...]: characters, as in a UTF-8 locale. */
export const rev: Program = process =>
  forEachInput(process, process.args.slice(1), async input => {
    const out = new TextOutput(process.stdout);
    await eachLine(
      process,
      input,
      async (line, terminated) => {
        for (const piece of backwards(line)) {
          await out.write(asBytes([...asText(piece)].reverse().join('')));
          if (line.length > PIECE) await process.turn();
        }
        if (terminated) await out.write('\n');
      },
      out,
    );
  });
