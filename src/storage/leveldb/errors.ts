import { StorageError, type StorageErrorCode } from '../kv-store.js';

/** The text of an error and of what caused it: abstract-level wraps the driver's own. */
function fullText(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code;
    parts.push(typeof code === 'string' ? `${code} ${at.message}` : at.message);
  }
  return parts.join(' ');
}

/** LevelDB reports the operating system's errors as text only (strerror). First match wins. */
const PATTERNS: readonly (readonly [RegExp, StorageErrorCode, string])[] = [
  [/LEVEL_LOCKED/, 'locked', 'is in use by another process'],
  [
    /No space left on device|Disk quota exceeded|File too large|ENOSPC|EDQUOT|EFBIG/,
    'disk-full',
    'cannot be written: no space left on device',
  ],
  [
    /Permission denied|Operation not permitted|Read-only file system|EACCES|EPERM|EROFS/,
    'permission',
    'cannot be opened: permission denied',
  ],
  [/LEVEL_CORRUPTION|Corruption|LEVEL_IO_ERROR.*No such file/, 'damaged', 'is damaged'],
  [/LEVEL_IO_ERROR/, 'io', 'failed'],
  [/LEVEL_DATABASE_NOT_OPEN|LEVEL_ITERATOR_NOT_OPEN|LEVEL_SNAPSHOT_NOT_OPEN/, 'closed', 'is closed'],
];

/** The innermost message, on one line: what LevelDB itself said. */
function detail(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  const text = at instanceof Error ? at.message : String(at);
  return text.replace(/\s+/g, ' ').trim();
}

/** Turns any failure of LevelDB or of the file system into a StorageError with a one-line message. */
export function storageError(error: unknown, dir: string): StorageError {
  if (error instanceof StorageError) return error;
  const text = fullText(error);
  for (const [pattern, code, what] of PATTERNS) {
    if (!pattern.test(text)) continue;
    const more = code === 'damaged' || code === 'io' ? `: ${detail(error)}` : '';
    return new StorageError(code, `data store ${dir} ${what}${more}`, { cause: error });
  }
  return new StorageError('io', `data store ${dir}: ${detail(error)}`, { cause: error });
}
