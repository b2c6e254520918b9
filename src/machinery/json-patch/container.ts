import { quote } from '../go-text.js';
import { setMember } from '../json-equal.js';
import { failed, MISSING } from './errors.js';

/** Objects and arrays, and what operations do with their members. A key is a token of a pointer, unescaped. */
export type Container = unknown[] | Record<string, unknown>;

export const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** strconv.Atoi; undefined when it is no integer. */
export const parseIndex = (key: string): number | undefined =>
  /^[+-]?[0-9]{1,15}$/.test(key) ? Number(key) : undefined;

/** An index in [0, length), negative ones counted from the end. */
function indexIn(key: string, length: number): number {
  const index = parseIndex(key);
  if (index === undefined) throw failed(`strconv.Atoi: parsing ${quote(key)}: invalid syntax`);
  if (index >= length || index < -length)
    throw failed(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + length : index;
}

export const get = (container: Container, key: string): unknown => {
  if (Array.isArray(container)) return container[indexIn(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
};

export function add(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) setMember(container, key, value);
  else if (key === '-') container.push(value);
  else {
    if (parseIndex(key) === undefined)
      throw failed(`value was not a proper array index: '${key}': strconv.Atoi: parsing ${quote(key)}: invalid syntax`);
    container.splice(indexIn(key, container.length + 1), 0, value);
  }
}

export function remove(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(indexIn(key, container.length), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw failed(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
}

export function replace(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container)) container[indexIn(key, container.length)] = value;
  else setMember(container, key, value);
}
