import * as fieldError from '../../machinery/field-error.js';
import type { FieldError } from '../../machinery/field-error.js';
import { isPrint } from '../../machinery/go-text.js';
import { invalidError } from '../../machinery/status.js';
import type { WriteOptions } from '../../api/strategy.js';
import { queryBoolean } from '../pipeline/request-info.js';
import type { PatchType } from '../negotiation/media-types.js';

const MAX_MANAGER_BYTES = 128;
const VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn'];

function validateFieldManager(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  // Each error below would repeat all of it.
  if (Buffer.byteLength(manager) > MAX_MANAGER_BYTES) return [fieldError.tooLong('fieldManager', MAX_MANAGER_BYTES)];
  let position = 0;
  for (const char of manager) {
    if (!isPrint(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(fieldError.invalid('fieldManager', manager, `invalid character U+${code} (at position ${position})`));
    }
    position += Buffer.byteLength(char);
  }
  return errors;
}

export function validateDryRun(values: readonly string[]): FieldError[] {
  return values.every(v => v === 'All') ? [] : [fieldError.notSupported('dryRun', values, ['All'])];
}

/** A client that names no manager is known by its User-Agent up to the first slash (apiserver handlers.managerOrUserAgent). */
export function managerOf(fieldManager: string, userAgent: string | undefined): string {
  if (fieldManager !== '') return fieldManager;
  const prefix = (userAgent ?? '').split('/')[0] ?? '';
  let printable = '';
  for (const char of prefix) {
    if (!isPrint(char)) continue;
    if (Buffer.byteLength(printable) + Buffer.byteLength(char) > MAX_MANAGER_BYTES) break;
    printable += char;
  }
  return printable === '' ? 'unknown' : printable;
}

/** CreateOptions, UpdateOptions and PatchOptions, from the query. @throws StatusError 422 */
export function writeOptions(
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  query: URLSearchParams,
  userAgent: string | undefined,
  patch?: PatchType,
): WriteOptions & { force: boolean } {
  const manager = query.get('fieldManager') ?? '';
  const dryRun = query.getAll('dryRun');
  const validation = query.get('fieldValidation') ?? '';
  const force = query.get('force');
  const errors: FieldError[] = [];
  if (kind === 'PatchOptions') {
    if (patch !== 'apply') {
      if (force !== null) errors.push(fieldError.forbidden('force', 'may not be specified for non-apply patch'));
    } else if (manager === '') {
      errors.push(fieldError.required('fieldManager', 'is required for apply patch'));
    }
  }
  for (const one of [...validateFieldManager(manager), ...validateDryRun(dryRun)]) errors.push(one);
  if (!VALIDATIONS.includes(validation))
    errors.push(fieldError.notSupported('fieldValidation', validation, VALIDATIONS));
  if (errors.length > 0) throw invalidError({ group: 'meta.k8s.io', kind }, '', errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: managerOf(manager, userAgent),
    fieldValidation: validation === 'Ignore' || validation === 'Strict' ? validation : 'Warn',
    force: force !== null && queryBoolean(force),
    asked: {
      ...(manager === '' ? {} : { fieldManager: manager }),
      ...(validation === '' ? {} : { fieldValidation: validation }),
    },
  };
}
