import { FileError } from '../file-system.js';
import type { Process } from '../process.js';

/** Names of users and groups, from /etc/passwd and /etc/group of the container. */
export interface AccountNames {
  readonly user: (uid: number) => string;
  readonly group: (gid: number) => string;
  readonly uid: (name: string) => number | undefined;
  readonly gid: (name: string) => number | undefined;
  /** Whether there is an account of that ID. */
  readonly knows: (uid: number) => boolean;
  readonly home: (uid: number) => string | undefined;
}

const MAX_BYTES = 1024 * 1024;

async function linesOf(process: Process, path: string): Promise<string[][]> {
  try {
    const bytes = await process.container.files.read(path);
    return bytes
      .subarray(0, MAX_BYTES)
      .toString('utf8')
      .split('\n')
      .map(line => line.split(':'));
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}

export async function accountNames(process: Process): Promise<AccountNames> {
  const users = (await linesOf(process, '/etc/passwd')).filter(line => line.length > 2);
  const groups = (await linesOf(process, '/etc/group')).filter(line => line.length > 2);
  const nameOf = (lines: readonly string[][], id: number): string =>
    lines.find(line => line[2] === String(id))?.[0] ?? (id === 0 ? 'root' : String(id));
  const idOf = (lines: readonly string[][], name: string): number | undefined => {
    const found = lines.find(line => line[0] === name)?.[2];
    if (found !== undefined) return Number(found);
    if (name === 'root') return 0;
    return /^\d{1,10}$/.test(name) ? Number(name) : undefined;
  };
  return {
    user: uid => nameOf(users, uid),
    group: gid => nameOf(groups, gid),
    uid: name => idOf(users, name),
    gid: name => idOf(groups, name),
    knows: uid => uid === 0 || users.some(line => line[2] === String(uid)),
    home: uid => users.find(line => line[2] === String(uid))?.[5],
  };
}
