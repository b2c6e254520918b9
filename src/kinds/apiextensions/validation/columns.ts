import { invalid, required, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import type { Column } from '../types.js';
import { checkSimplePath } from './simple-path.js';

const TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

export function checkColumn(out: FieldError[], at: FieldPath, column: Column): void {
  const { name = '', type = '', format = '', jsonPath = '' } = column;
  if (name === '') out.push(required(at.child('name')));
  const types = `must be one of ${TYPES.join(',')}`;
  if (type === '') out.push(required(at.child('type'), types));
  else if (!TYPES.includes(type)) out.push(invalid(at.child('type'), type, types));
  if (format !== '' && !FORMATS.includes(format))
    out.push(invalid(at.child('format'), format, `must be one of ${FORMATS.join(',')}`));
  // The name of the internal type's field.
  const where = at.child('JSONPath');
  if (jsonPath === '') out.push(required(where));
  else checkSimplePath(out, where, jsonPath);
}
