import { resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { parseOptions } from './options.js';
import { formatTime, parseTime } from './times.js';

/** date [-Ru] [-I[SPEC]] [-d TIME|-r FILE] [+FORMAT]; nobody sets the clock here. */
export const date: Program = async process => {
  const args = process.args
    .slice(1)
    .map(arg => (/^-I\w+$/.test(arg) ? `--iso=${arg.slice(2)}` : arg === '-I' ? '--iso=date' : arg));
  const { operands, has, get } = parseOptions(args, {
    short: 'Rud:r:s:D:',
    long: { iso: 'iso:', 'iso-8601': 'iso:', date: 'd:', utc: 'u', 'rfc-2822': 'R', set: 's:' },
  });
  const { clock, files } = process.container;
  let time = clock.now();
  const given = get('d');
  const file = get('r');
  const operand = operands.find(word => !word.startsWith('+'));
  if (has('s') || operand !== undefined) {
    await process.stderr.write("date: can't set date: Operation not permitted\n");
    return 1;
  }
  if (given !== undefined) {
    const parsed = parseTime(given, time);
    if (parsed === undefined) {
      await process.stderr.write(`date: invalid date '${given}'\n`);
      return 1;
    }
    time = parsed;
  } else if (file !== undefined) {
    const stat = await files.stat(resolvePath(process.cwd, file));
    if (stat === undefined) {
      await process.stderr.write(`date: can't stat '${file}': No such file or directory\n`);
      return 1;
    }
    time = stat.mtime ?? time;
  }
  const iso: Readonly<Record<string, string>> = {
    date: '%Y-%m-%d',
    hours: '%Y-%m-%dT%H+00:00',
    minutes: '%Y-%m-%dT%H:%M+00:00',
    seconds: '%Y-%m-%dT%H:%M:%S+00:00',
  };
  const spec = get('iso');
  const format =
    operands.find(word => word.startsWith('+'))?.slice(1) ??
    (spec !== undefined ? (iso[spec] ?? iso['date']) : has('R') ? '%a, %d %b %Y %H:%M:%S +0000' : undefined) ??
    '%a %b %e %H:%M:%S UTC %Y';
  await process.stdout.write(`${formatTime(format, time)}\n`);
  return 0;
};
