import { FileError } from '../file-system.js';
import type { Program } from '../process.js';
import { forEachPath, usage } from './each-path.js';
import { parseOptions } from './options.js';
import { parseTime } from './times.js';

/** touch [-cam] [-d DATE|-t DATE] [-r FILE] FILE... */
export const touch: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'camhd:t:r:',
    long: { 'no-create': 'c', date: 'd:', reference: 'r:' },
  });
  if (operands.length === 0) return usage(process, 'touch [-cam] [-d DATE] [-t DATE] [-r FILE] FILE...');
  const { files, clock } = process.container;
  const now = clock.now();
  const given = get('d') ?? get('t');
  let time: number | undefined = now;
  if (given !== undefined) {
    time = parseTime(given, now);
    if (time === undefined) {
      await process.stderr.write(`touch: invalid date '${given}'\n`);
      return 1;
    }
  }
  const reference = get('r');
  if (reference !== undefined) time = (await files.stat(reference))?.mtime;
  return forEachPath(process, operands, '', async path => {
    if (files.kind(path) === undefined) {
      if (has('c')) return;
      await files.write(path, Buffer.alloc(0), { append: true });
    } else if (!files.allows(path, 'write')) throw new FileError('EACCES');
    if (time !== undefined) files.setTime(path, time);
  });
};
