import { FileError } from '../file-system.js';
import { joinPath } from '../paths.js';
import type { Process, Program } from '../process.js';
import { accountNames } from './accounts.js';
import { forEachPath, usage } from './each-path.js';
import { changeMode } from './modes.js';
import { parseOptions } from './options.js';

/** Runs `change` on a path and, where asked, on all below it. Links on the way are left alone. */
async function recursively(
  process: Process,
  path: string,
  deep: boolean,
  change: (path: string) => Promise<void> | void,
): Promise<void> {
  const { files } = process.container;
  const wait = process.turn();
  if (wait !== undefined) await wait;
  await change(path);
  if (!deep || files.kind(path) !== 'directory' || files.isLink(path)) return;
  for (const name of files.list(path))
    if (!files.isLink(joinPath(path, name))) await recursively(process, joinPath(path, name), deep, change);
}

/** chmod [-Rfv] MODE FILE... */
export const chmod: Program = async process => {
  const { operands, has } = parseOptions(
    // A mode that takes bits away begins like an option.
    process.args.slice(1).flatMap(arg => (/^-[rwxst]+$/.test(arg) ? [`a${arg}`] : [arg])),
    { short: 'Rfvc', long: { recursive: 'R' } },
  );
  const [mode, ...paths] = operands;
  if (mode === undefined || paths.length === 0) return usage(process, 'chmod [-Rcvf] MODE[,MODE]... FILE...');
  const { files } = process.container;
  return forEachPath(process, paths, '', given =>
    recursively(process, given, has('R'), async path => {
      const found = await files.stat(path);
      if (found === undefined) throw new FileError('ENOENT');
      files.chmod(path, changeMode(mode, found.mode));
    }),
  );
};

/** chown [-Rfvh] OWNER[:[GROUP]] FILE... */
export const chown: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), {
    short: 'RfvhcLHP',
    long: { recursive: 'R', 'no-dereference': 'h' },
  });
  const [owner, ...paths] = operands;
  if (owner === undefined || paths.length === 0) return usage(process, 'chown [-Rhcvf] USER[:[GRP]] FILE...');
  const names = await accountNames(process);
  const { files } = process.container;
  const [user = '', group] = owner.split(owner.includes(':') ? ':' : /\.(?=[^.]*$)/);
  const id = (text: string, find: (name: string) => number | undefined, what: string): number | undefined => {
    if (text === '') return undefined;
    const found = find(text);
    if (found === undefined) throw new Error(`unknown ${what} ${text}`);
    return found;
  };
  const uid = id(user, names.uid, 'user');
  const gid = id(group ?? '', names.gid, 'group');
  const change = (path: string): void =>
    files.chown(path, { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) });
  return forEachPath(process, paths, 'change ownership of', path => recursively(process, path, has('R'), change));
};

export const chgrp: Program = process => {
  const options = process.args.slice(1).filter(arg => arg.startsWith('-'));
  const [group = '', ...paths] = process.args.slice(1).filter(arg => !arg.startsWith('-'));
  return chown({ ...process, args: [process.args[0] ?? '', ...options, `:${group}`, ...paths] });
};
