import { resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { writerOf } from '../spawn.js';
import { forEachInput } from './each-input.js';
import { eachLine, TextOutput } from './lines.js';
import { parseOptions } from './options.js';

/** uniq [-cduiz] [-f FIELDS] [-s CHARACTERS] [-w CHARACTERS] [INPUT [OUTPUT]] */
export const uniq: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), { short: 'cduif:s:w:z' });
  const fields = Number(get('f') ?? 0);
  const skip = Number(get('s') ?? 0);
  const width = get('w') === undefined ? undefined : Number(get('w'));
  const key = (line: string): string => {
    let at = 0;
    for (let field = 0; field < fields; field++) {
      while (line[at] === ' ' || line[at] === '\t') at++;
      while (at < line.length && line[at] !== ' ' && line[at] !== '\t') at++;
    }
    const text = line.slice(at + skip, width === undefined ? undefined : at + skip + width);
    return has('i') ? text.toLowerCase() : text;
  };
  const target = operands[1];
  const output =
    target === undefined
      ? process.stdout
      : writerOf(await process.container.files.openWrite(resolvePath(process.cwd, target)), process.turn);
  return forEachInput(process, operands.slice(0, 1), async input => {
    const out = new TextOutput(output);
    let previous: string | undefined;
    let count = 0;
    const end = (): Promise<void> | undefined => {
      if (previous === undefined) return undefined;
      if ((has('d') && count < 2) || (has('u') && count > 1)) return undefined;
      return out.write(`${has('c') ? `${String(count).padStart(7)} ` : ''}${previous}\n`);
    };
    await eachLine(
      process,
      input,
      line => {
        if (previous !== undefined && key(previous) === key(line)) {
          count++;
          return undefined;
        }
        const wait = end();
        previous = line;
        count = 1;
        return wait;
      },
      out,
    );
    await end();
    await out.flush();
  });
};
