import type { Program } from '../process.js';
import { accountNames } from './accounts.js';
import { parseOptions } from './options.js';

/** id [-ugGnr] [USER] */
export const id: Program = async process => {
  const { has, operands } = parseOptions(process.args.slice(1), { short: 'ugGnr' });
  const names = await accountNames(process);
  const own = process.container.security.credentials;
  const [user] = operands;
  let { uid, gid, groups } = own;
  if (user !== undefined) {
    const found = names.uid(user);
    if (found === undefined || (!/^root$/.test(user) && !names.knows(found))) {
      await process.stderr.write(`id: unknown user ${user}\n`);
      return 1;
    }
    [uid, gid, groups] = [found, found === own.uid ? gid : found, found === own.uid ? groups : []];
  }
  const shown = (number: number, name: string): string =>
    name === String(number) ? `${number}` : `${number}(${name})`;
  const plain = (number: number, name: (id: number) => string): string => (has('n') ? name(number) : String(number));
  const all = [gid, ...groups.filter(group => group !== gid)];
  const text = has('u')
    ? plain(uid, names.user)
    : has('g')
      ? plain(gid, names.group)
      : has('G')
        ? all.map(group => plain(group, names.group)).join(' ')
        : `uid=${shown(uid, names.user(uid))} gid=${shown(gid, names.group(gid))} groups=${all.map(group => shown(group, names.group(group))).join(',')}`;
  await process.stdout.write(`${text}\n`);
  return 0;
};

export const whoami: Program = async process => {
  const { uid } = process.container.security.credentials;
  const names = await accountNames(process);
  if (names.knows(uid)) return (await process.stdout.write(`${names.user(uid)}\n`), 0);
  await process.stderr.write(`whoami: unknown uid ${uid}\n`);
  return 1;
};

/** groups [USER] */
export const groups: Program = process => id({ ...process, args: ['id', '-Gn', ...process.args.slice(1)] });

export const logname: Program = async process => {
  await process.stderr.write('logname: getlogin: No such file or directory\n');
  return 1;
};
