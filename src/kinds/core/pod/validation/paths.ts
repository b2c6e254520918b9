import { invalid, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';

export function checkNoBacksteps(out: FieldError[], at: FieldPath, path: string): void {
  if (path.split('/').includes('..')) out.push(invalid(at, path, "must not contain '..'"));
}

/** A relative path without "..". */
export function checkLocalDescendingPath(out: FieldError[], at: FieldPath, path: string): void {
  if (path.startsWith('/')) out.push(invalid(at, path, 'must be a relative path'));
  checkNoBacksteps(out, at, path);
}

/** Names beginning with ".." are kept for the kubelet's atomic writer. */
export function checkLocalNonReservedPath(out: FieldError[], at: FieldPath, path: string): void {
  checkLocalDescendingPath(out, at, path);
  if (path.startsWith('..') && !path.startsWith('../')) out.push(invalid(at, path, "must not start with '..'"));
}

/** Path-prefix of a file mode: 0 to 0777. */
export function checkFileMode(out: FieldError[], at: FieldPath, mode: number | undefined): void {
  if (mode !== undefined && (mode > 0o777 || mode < 0))
    out.push(invalid(at, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
}
