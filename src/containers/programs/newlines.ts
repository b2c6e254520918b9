import { resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { openInput } from './each-input.js';
import { fromBytes, holdAll, toBytes } from './lines.js';
import { parseOptions } from './options.js';

const converter =
  (unix: boolean): Program =>
  async process => {
    const { operands, has } = parseOptions(process.args.slice(1), { short: 'ud' });
    const toUnix = has('u') || (unix && !has('d'));
    const [name] = operands;
    const text = fromBytes(await holdAll(process, name === undefined ? process.stdin : await openInput(process, name)));
    const plain = text.replaceAll('\r\n', '\n');
    const result = toBytes(toUnix ? plain : plain.replaceAll('\n', '\r\n'));
    if (name === undefined) await process.stdout.write(result);
    else await process.container.files.write(resolvePath(process.cwd, name), result);
    return 0;
  };

/** dos2unix [-ud] [FILE] */
export const dos2unix = converter(true);
export const unix2dos = converter(false);
