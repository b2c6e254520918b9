import type { Program } from '../process.js';

export const yes: Program = async process => {
  const line = `${process.args.slice(1).join(' ') || 'y'}\n`;
  const text = Buffer.from(line.repeat(Math.max(1, Math.floor(4096 / line.length))));
  for (;;) await process.stdout.write(text);
};
