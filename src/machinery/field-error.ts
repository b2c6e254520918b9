import { quote } from './go-text.js';

/** Cause reasons of a 422, as metav1.StatusCause prints them (apimachinery field.ErrorType). */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'
  | 'InternalError';

/**
 * One problem with one field. `message` is the cause message: what follows "path: " in the Status text.
 * Source: apimachinery pkg/util/validation/field/errors.go.
 */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly message: string;
}

/** A path into an object, e.g. `path('spec').child('ports').index(0).child('name')` prints "spec.ports[0].name". */
export class FieldPath {
  private constructor(private readonly text: string) {}

  static root(name = ''): FieldPath {
    return new FieldPath(name);
  }
  child(...names: string[]): FieldPath {
    let text = this.text;
    for (const name of names) if (name !== '') text = text === '' ? name : `${text}.${name}`;
    return new FieldPath(text);
  }
  index(i: number): FieldPath {
    return new FieldPath(`${this.text}[${i}]`);
  }
  key(key: string): FieldPath {
    return new FieldPath(`${this.text}[${key}]`);
  }
  toString(): string {
    return this.text;
  }
}

/** A root path: `path('spec', 'ports')` is spec.ports. */
export function path(...names: string[]): FieldPath {
  return FieldPath.root().child(...names);
}

/** Prints a value as Go's field.Error does: strings %q, numbers and booleans bare, nil as null, the rest as JSON. */
export function formatValue(value: unknown): string {
  if (value === undefined) return 'null';
  if (typeof value === 'string') return quote(value);
  return JSON.stringify(value);
}

type At = FieldPath | string;

const make = (type: FieldErrorType, at: At, message: string): FieldError => ({ type, field: at.toString(), message });

const detail = (prefix: string, text: string): string => (text === '' ? prefix : `${prefix}: ${text}`);

export const required = (at: At, text = ''): FieldError =>
  make('FieldValueRequired', at, detail('Required value', text));
export function invalid(at: At, value: unknown, text: string): FieldError {
  if (typeof value !== 'object' || value === null)
    return make('FieldValueInvalid', at, detail(`Invalid value: ${formatValue(value)}`, text));
  // A list that is shown for each of its thousand items is printed when somebody reads it, which nobody does so often.
  let message: string | undefined;
  return {
    type: 'FieldValueInvalid',
    field: at.toString(),
    get message() {
      return (message ??= detail(`Invalid value: ${formatValue(value)}`, text));
    },
  };
}
export const typeInvalid = (at: At, value: unknown, text: string): FieldError =>
  make('FieldValueTypeInvalid', at, detail(`Invalid value: ${formatValue(value)}`, text));
export const forbidden = (at: At, text = ''): FieldError => make('FieldValueForbidden', at, detail('Forbidden', text));
export const duplicate = (at: At, value: unknown): FieldError =>
  make('FieldValueDuplicate', at, `Duplicate value: ${formatValue(value)}`);
export const notFound = (at: At, value: unknown): FieldError =>
  make('FieldValueNotFound', at, `Not found: ${formatValue(value)}`);
export const internal = (at: At, text: string): FieldError => make('InternalError', at, detail('Internal error', text));
export const tooLong = (at: At, maxBytes: number): FieldError =>
  make('FieldValueTooLong', at, `Too long: may not be more than ${maxBytes} bytes`);
export const tooMany = (at: At, actual: number, max: number): FieldError =>
  make('FieldValueTooMany', at, `Too many: ${actual}: must have at most ${max} items`);
/** `supported` is printed in the order given; upstream sorts most enums alphabetically, so pass them sorted. */
export const notSupported = (at: At, value: unknown, supported: readonly string[]): FieldError =>
  make(
    'FieldValueNotSupported',
    at,
    detail(
      `Unsupported value: ${formatValue(value)}`,
      supported.length === 0 ? '' : `supported values: ${supported.map(s => JSON.stringify(s)).join(', ')}`,
    ),
  );

/** "path: message", the form inside a Status message. */
export const formatFieldError = (error: FieldError): string =>
  error.field === '' ? `${error.message}` : `${error.field}: ${error.message}`;
