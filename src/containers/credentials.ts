/** Who the processes of a container are. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one among them, as the runtime lists them. */
  readonly groups: readonly number[];
}

export const ROOT: Credentials = { uid: 0, gid: 0, groups: [0] };

/** What is checked of a file: its owner and its permission bits. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** path_permissions(7): the bits of the first class that fits. root needs an x bit of anybody to execute, else nothing. */
export function mayAccess(
  { uid, gid, groups }: Credentials,
  file: Ownership,
  wanted: 'read' | 'write' | 'execute',
): boolean {
  const bit = { read: 4, write: 2, execute: 1 }[wanted];
  if (uid === 0) return wanted !== 'execute' || (file.mode & 0o111) !== 0;
  const shift = uid === file.uid ? 6 : gid === file.gid || groups.includes(file.gid) ? 3 : 0;
  return ((file.mode >> shift) & bit) !== 0;
}
