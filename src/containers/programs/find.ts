import { FileError, resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { Expression } from './find-parts/expression.js';
import { walk } from './walk.js';

/** find [PATH...] [EXPRESSION] */
export const find: Program = async process => {
  const args = process.args.slice(1);
  while (args[0] === '-L' || args[0] === '-H' || args[0] === '-P') args.shift();
  const cut = args.findIndex(arg => arg.startsWith('-') || arg === '(' || arg === '!');
  const starts = cut < 0 ? args : args.slice(0, cut);
  const expression = new Expression(process, cut < 0 ? [] : args.slice(cut));
  const test = await expression.parse();
  const { files } = process.container;
  let status = 0;
  const complain = async (path: string, error: FileError): Promise<void> => {
    await process.stderr.write(`find: ${path}: ${error.message}\n`);
    status = 1;
  };
  for (const start of starts.length === 0 ? ['.'] : starts) {
    if (files.kind(resolvePath(process.cwd, start)) === undefined && !files.isLink(resolvePath(process.cwd, start))) {
      await complain(start, new FileError('ENOENT'));
      continue;
    }
    const slashes = (path: string): number => path.split('/').length;
    const base = slashes(start.endsWith('/') ? start.slice(0, -1) : start);
    const enter = (path: string): boolean => {
      const depth = path === start ? 0 : slashes(path) - base;
      return depth < expression.maxDepth && expression.pruned !== path;
    };
    for await (const path of walk(process, start, { complain, enter, deepFirst: expression.deepFirst })) {
      const stat = await files.linkStat(resolvePath(process.cwd, path));
      if (stat === undefined) continue;
      const depth = path === start ? 0 : slashes(path) - base;
      if (depth >= expression.minDepth) await test({ path, start, stat, depth });
      if (expression.quit) break;
    }
    if (expression.quit) break;
  }
  await expression.commands.finish();
  return status === 0 ? expression.commands.status : status;
};
