import { FileError, resolvePath } from '../file-system.js';
import { BrokenPipe, type Output } from '../io.js';
import type { Program } from '../process.js';
import { parseOptions } from './options.js';

/** tee [-ai] [FILE...] */
export const tee: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'ai' });
  let status = 0;
  const outputs: Output[] = [];
  for (const name of operands)
    try {
      outputs.push(await process.container.files.openWrite(resolvePath(process.cwd, name), { append: has('a') }));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`tee: ${name}: ${error.message}\n`);
      status = 1;
    }
  outputs.push(process.stdout);
  const { stdin, signal } = process;
  for (let chunk = await stdin.read(signal); chunk !== undefined; chunk = await stdin.read(signal))
    for (const output of outputs)
      try {
        await output.write(chunk);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        if (error instanceof BrokenPipe) throw error;
        await process.stderr.write(`tee: ${error.message}\n`);
        status = 1;
      }
  return status;
};
