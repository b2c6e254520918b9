/** What the file system has against a file or a folder, in words for a terminal. */
export const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on device',
  EDQUOT: 'no space left on device',
  EFBIG: 'no space left on device',
};
