/** errno names of the in-memory file system, as strerror prints them. */
const TEXT = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EEXIST: 'File exists',
  ENOTEMPTY: 'Directory not empty',
  EROFS: 'Read-only file system',
  EBUSY: 'Resource busy',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ENOSPC: 'No space left on device',
  ELOOP: 'Too many symbolic links encountered',
  EINVAL: 'Invalid argument',
  ENAMETOOLONG: 'File name too long',
  EXDEV: 'Invalid cross-device link',
  ENXIO: 'No such device or address',
  EFBIG: 'File too large',
  EBADF: 'Bad file descriptor',
} as const;

export class FileError extends Error {
  override readonly name = 'FileError';
  constructor(readonly code: keyof typeof TEXT) {
    super(TEXT[code]);
  }
}
