import type { Process, Program } from '../process.js';
import { asText, eachLine } from './lines.js';

async function factors(process: Process, text: string): Promise<number> {
  const trimmed = text.trim();
  if (!/^\d{1,20}$/.test(trimmed) || BigInt(trimmed) >= 1n << 64n) {
    await process.stderr.write(`factor: invalid number '${trimmed}'\n`);
    return 1;
  }
  let rest = BigInt(trimmed);
  let line = `${rest}:`;
  let steps = 0;
  for (let divisor = 2n; divisor * divisor <= rest; divisor += divisor === 2n ? 1n : 2n) {
    while (rest % divisor === 0n) {
      line += ` ${divisor}`;
      rest /= divisor;
    }
    if (++steps % 512 === 0) await process.turn(4);
  }
  if (rest > 1n) line += ` ${rest}`;
  await process.stdout.write(`${line}\n`);
  return 0;
}

/** factor [NUMBER...] */
export const factor: Program = async process => {
  let status = 0;
  const words = process.args.slice(1);
  for (const text of words) status = (await factors(process, text)) || status;
  if (words.length === 0)
    await eachLine(process, process.stdin, async line => {
      for (const word of asText(line).split(/\s+/)) if (word !== '') status = (await factors(process, word)) || status;
    });
  return status;
};
