import { resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { writerOf } from '../spawn.js';
import { openInput } from './each-input.js';
import { asBytes, eachLine, HeldLines, TextOutput } from './lines.js';
import { parseOptions } from './options.js';

const MAX_RANGE = 1_000_000;

/** shuf [-e WORD...|-i LOW-HIGH|FILE] [-n COUNT] [-o FILE] */
export const shuf: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), { short: 'ei:n:o:rz' });
  const held = new HeldLines(process);
  const range = get('i');
  if (range !== undefined) {
    const [, low = '', high = ''] = /^(\d{1,15})-(\d{1,15})$/.exec(range) ?? [];
    const [from, to] = [Number(low), Number(high)];
    if (low === '' || from > to || to - from >= MAX_RANGE) {
      await process.stderr.write(`shuf: ${range}: invalid range\n`);
      return 1;
    }
    for (let n = from; n <= to; n++) held.push(String(n));
  } else if (has('e')) for (const word of operands) held.push(asBytes(word));
  else
    await eachLine(
      process,
      operands[0] === undefined || operands[0] === '-' ? process.stdin : await openInput(process, operands[0]),
      line => held.push(line),
    );
  const { lines } = held;
  for (let i = lines.length - 1; i > 0; i--) {
    const j = Math.floor(process.container.random() * (i + 1));
    [lines[i], lines[j]] = [lines[j] ?? '', lines[i] ?? ''];
    if (i % 1024 === 0) await process.turn();
  }
  const file = get('o');
  const out = new TextOutput(
    file === undefined
      ? process.stdout
      : writerOf(await process.container.files.openWrite(resolvePath(process.cwd, file)), process.turn),
  );
  for (const line of lines.slice(0, get('n') === undefined ? undefined : Number(get('n'))))
    await out.write(`${line}\n`);
  await out.flush();
  return 0;
};
