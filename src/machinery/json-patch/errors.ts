/** What goes wrong while applying, in the library's words. */
export class JsonPatchError extends Error {
  override readonly name = 'JsonPatchError';
}

export const failed = (text: string): JsonPatchError => new JsonPatchError(text);
export const MISSING = 'missing value';

/** What Go calls the type of a JSON value. */
export const goKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

/** Does what may fail, and says on the way out where that was. */
export function within<T>(what: (message: string) => string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof JsonPatchError ? failed(what(error.message)) : error;
  }
}
