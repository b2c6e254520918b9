import { baseName } from '../paths.js';
import type { Program } from '../process.js';
import { usage } from './each-path.js';
import { parseOptions } from './options.js';

/** basename FILE [SUFFIX] | -a [-s SUFFIX] FILE... */
export const basename: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), { short: 'as:z', stopAtOperand: true });
  const [first] = operands;
  if (first === undefined) return usage(process, 'basename FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...');
  const many = has('a') || has('s');
  const suffix = get('s') ?? (many ? '' : (operands[1] ?? ''));
  for (const path of many ? operands : [first]) {
    const name = baseName(path) || (path.startsWith('/') ? '/' : '');
    await process.stdout.write(
      `${suffix !== '' && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`,
    );
  }
  return 0;
};

/** dirname FILE... */
export const dirname: Program = async process => {
  for (const given of process.args.slice(1)) {
    let end = given.length;
    while (end > 1 && given[end - 1] === '/') end--;
    let at = given.lastIndexOf('/', end - 1);
    if (at < 0) {
      await process.stdout.write('.\n');
      continue;
    }
    while (at > 0 && given[at - 1] === '/') at--;
    await process.stdout.write(`${given.slice(0, Math.max(1, at))}\n`);
  }
  return 0;
};
