import { resolvePath } from '../file-system.js';
import type { Program } from '../process.js';

/** which NAME... */
export const which: Program = async process => {
  const { program, files } = process.container;
  let status = 0;
  for (const name of process.args.slice(1).filter(arg => arg !== '-a')) {
    if (name.includes('/') && files.allows(resolvePath(process.cwd, name), 'execute'))
      await process.stdout.write(`${name}\n`);
    else if ((await program(name)) === undefined) status = 1;
    else await process.stdout.write(`/bin/${name}\n`);
  }
  return status;
};
