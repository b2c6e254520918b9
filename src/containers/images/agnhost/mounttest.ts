import { FileError, resolvePath } from '../../file-system.js';
import type { Subcommand } from './command.js';

const INITIAL_CONTENT = 'mount-tester new file\n';
/** f_type of statfs(2). */
const EXT4_MAGIC = 0xef53;
const LOOP_PERIOD_MS = 2_000;

/** "-rwxr-x---", as Go prints the permission bits. */
const rights = (mode: number): string =>
  [6, 3, 0].map(s => ['r', 'w', 'x'].map((c, i) => (((mode >> s) & (4 >> i)) === 0 ? '-' : c)).join('')).join('');

/** os.FileMode.String: the special bits before the permissions. */
function goMode(mode: number, directory: boolean): string {
  const special = `${directory ? 'd' : ''}${(mode & 0o4000) === 0 ? '' : 'u'}${(mode & 0o2000) === 0 ? '' : 'g'}${(mode & 0o1000) === 0 ? '' : 't'}`;
  return `${special === '' ? '-' : special}${rights(mode)}`;
}

/** Writes, then describes files, in a fixed order whatever the order of the flags; fails when any step does. */
export const mounttest: Subcommand = async (process, flags) => {
  const { files, clock } = process.container;
  const print = async (text: string): Promise<void> => void (await process.stdout.write(`${text}\n`));
  const quoted = JSON.stringify;
  let failed = false;
  /** Runs a step for the path of a flag, when there is one. */
  const step = async (
    name: string,
    work: (path: string, absolute: string) => Promise<void>,
    complaint: (path: string) => string,
    call: string,
  ): Promise<void> => {
    const path = flags.text(name, '');
    if (path === '') return;
    try {
      await work(path, resolvePath(process.cwd, path));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      failed = true;
      const text = error.message.toLowerCase();
      await print(`${complaint(path)}: ${call === '' ? text : `${call} ${path}: ${text}`}`);
    }
  };
  const stat = async (absolute: string) => {
    const found = await files.stat(absolute);
    if (found === undefined) throw new FileError('ENOENT');
    return found;
  };
  const show = async (path: string, absolute: string): Promise<void> =>
    print(`content of file ${quoted(path)}: ${(await files.read(absolute)).toString('utf8')}`);

  await step(
    'fs_type',
    async (path, at) => print(`mount type of ${quoted(path)}: ${(await stat(at)).tmpfs ? 'tmpfs' : EXT4_MAGIC}`),
    path => `error from statfs(${quoted(path)})`,
    '',
  );
  for (const mode of [0o644, 0o666, 0o660, 0o777]) {
    const name = `new_file_0${mode.toString(8)}`;
    await step(
      name,
      async (path, at) => {
        await files.write(at, Buffer.from(INITIAL_CONTENT), { mode });
        await show(path, at);
      },
      path => `error writing new file ${quoted(path)}`,
      'open',
    );
  }
  const statFailed = (path: string): string => `error from Stat(${quoted(path)})`;
  await step(
    'file_mode',
    async (path, at) => {
      const { mode, kind } = await stat(at);
      await print(`mode of file ${quoted(path)}: ${goMode(mode, kind === 'directory')}`);
    },
    statFailed,
    'stat',
  );
  await step(
    'file_perm',
    async (path, at) => print(`perms of file ${quoted(path)}: -${rights((await stat(at)).mode)}`),
    statFailed,
    'stat',
  );
  await step(
    'file_owner',
    async (path, at) => {
      const { uid, gid } = await stat(at);
      await print(`owner UID of ${quoted(path)}: ${uid}`);
      await print(`owner GID of ${quoted(path)}: ${gid}`);
    },
    path => `error from stat(${quoted(path)})`,
    '',
  );
  await step('file_content', show, path => `error reading file content for ${quoted(path)}`, 'open');

  const looped = flags.text('file_content_in_loop', '');
  if (looped !== '') {
    const until = clock.monotonic() + flags.number('retry_time', 180) * 1000;
    const stopWhenInitial = flags.bool('break_on_expected_content', true);
    let missing = false;
    while (clock.monotonic() < until) {
      try {
        const text = (await files.read(resolvePath(process.cwd, looped))).toString('utf8');
        missing = false;
        await print(`content of file ${quoted(looped)}: ${text}`);
        if (stopWhenInitial && text === INITIAL_CONTENT) break;
        if (stopWhenInitial) await print(`Unexpected content. Expected: ${INITIAL_CONTENT}. Retrying`);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        missing = true;
        await print(`Error reading file ${looped}: open ${looped}: ${error.message.toLowerCase()}, retrying`);
      }
      await clock.sleep(LOOP_PERIOD_MS, process.signal);
    }
    failed ||= missing;
  }
  return failed ? 1 : 0;
};
