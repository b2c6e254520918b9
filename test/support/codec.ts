import { isStatusError } from '../../src/machinery/status.js';
import { decode, type FieldValidation } from '../../src/api/codec/decode.js';
import type { BodyType } from '../../src/api/kind-schema.js';
import { loadApi, type KindType } from '../../src/api/load.js';

export const api = loadApi();

export function kind(name: string): KindType {
  const at = name.lastIndexOf('/');
  const [gv, kindName] = [name.slice(0, at), name.slice(at + 1)];
  const [group, version] = gv.includes('/') ? gv.split('/') : ['', gv];
  const found = api.kind(group ?? '', version ?? '', kindName);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

export const JSON_TYPE = 'application/json';

export const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

export const read = (
  value: unknown,
  of: string,
  fieldValidation: FieldValidation = 'Warn',
  type: BodyType = JSON_TYPE,
) => decode(bytes(value), type, kind(of), api, { fieldValidation });

export function refusal(value: unknown, of: string, type: BodyType = JSON_TYPE): string {
  try {
    decode(Buffer.isBuffer(value) ? value : bytes(value), type, kind(of), api, { fieldValidation: 'Strict' });
  } catch (error) {
    if (isStatusError(error, 'BadRequest')) return error.message;
    throw error;
  }
  return '';
}
