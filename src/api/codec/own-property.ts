import type { JsonObject } from '../../machinery/types.js';

/** Sets a member whose name a client chose: "__proto__" is a key like any other. */
export function setOwn(object: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}
