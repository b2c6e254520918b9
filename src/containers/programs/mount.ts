import { mountLines } from '../system-mounts.js';
import type { Program } from '../process.js';
import { parseOptions } from './options.js';

/** mount [-t TYPE]: lists what is mounted. Nobody mounts anything in a container without CAP_SYS_ADMIN. */
export const mount: Program = async process => {
  const { operands, get } = parseOptions(process.args.slice(1), { short: 't:o:afnrwvi' });
  if (operands.length > 0) {
    await process.stderr.write('mount: permission denied (are you root?)\n');
    return 1;
  }
  const wanted = get('t');
  for (const line of mountLines(process.container.files.mounts)) {
    const [device = '', at = '', type = '', flags = ''] = line.split(' ');
    if (wanted === undefined || wanted === type)
      await process.stdout.write(`${device} on ${at} type ${type} (${flags})\n`);
  }
  return 0;
};
