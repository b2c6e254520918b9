import { invalid, type FieldError, type FieldPath } from '../../../machinery/field-error.js';

/** A path in the dot notation: upstream asks for no more than its first character. */
export function checkSimplePath(out: FieldError[], at: FieldPath, path: string): boolean {
  if (path.startsWith('.')) return true;
  out.push(invalid(at, path, 'must be a simple json path starting with .'));
  return false;
}
