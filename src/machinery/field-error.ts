import { escapeHtmlInJson, formatGo, quote } from './go-text.js';

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
  /** The message of an error that shows a long value, where the caller may know the value's text from another error. */
  readonly messageBy?: (print: (value: unknown) => string) => string;
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
  if (typeof value === 'number') return formatGo(value);
  return escapeHtmlInJson(JSON.stringify(value));
}

/** Upstream lists every error. This is more than anybody reads, and what 3 MB may be wrong in fills the memory. */
export const MAX_FIELD_ERRORS = 10_000;

/** Thrown by a list of errors that is full: whoever asked for the check has enough of them. */
export class TooManyFieldErrors extends Error {
  override readonly name = 'TooManyFieldErrors';
  constructor(readonly errors: readonly FieldError[]) {
    super(`${errors.length} errors and more`);
  }
}

/** Paths may be as long as what they lead through is deep: so much of them is more than an answer tells. */
const MAX_PATH_CHARACTERS = 32 * 1024 * 1024;

class FieldErrorList extends Array<FieldError> {
  #characters = 0;
  /** What is made of the list is a plain one. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
  override push(...errors: FieldError[]): number {
    for (const error of errors) {
      if (this.length >= MAX_FIELD_ERRORS || this.#characters > MAX_PATH_CHARACTERS) throw new TooManyFieldErrors(this);
      this.#characters += error.field.length;
      super.push(error);
    }
    return this.length;
  }
}

/** What a validator adds its errors to. Those of one value may be many more than the value is long: of each two equal items, say. */
export const errorList = (): FieldError[] => new FieldErrorList();

/** The errors of a check, or as many as a list holds. */
export function errorsOf(check: () => readonly FieldError[]): readonly FieldError[] {
  try {
    return check();
  } catch (error) {
    if (error instanceof TooManyFieldErrors) return error.errors;
    throw error;
  }
}

type At = FieldPath | string;

const make = (type: FieldErrorType, at: At, message: string): FieldError => ({ type, field: at.toString(), message });

const detail = (prefix: string, text: string): string => (text === '' ? prefix : `${prefix}: ${text}`);

const SHORT = 256;

/** Prints values; one that comes several times in a row, as one that is wrong in several ways, is printed once. */
export function valuePrinter(): (value: unknown) => string {
  let last: { readonly value: unknown; readonly text: string } | undefined;
  return value => {
    if (last === undefined || last.value !== value) last = { value, text: formatValue(value) };
    return last.text;
  };
}

/**
 * An error that shows a value. What is long is printed when somebody reads it: a list that is shown for each of its
 * thousand items, or a path for each of its thousand segments, is not read that often.
 */
function showing(type: FieldErrorType, at: At, what: string, value: unknown, text = ''): FieldError {
  const isShort = typeof value === 'string' ? value.length <= SHORT : typeof value !== 'object' || value === null;
  if (isShort) return make(type, at, detail(`${what}: ${formatValue(value)}`, text));
  let message: string | undefined;
  const messageBy = (print: (value: unknown) => string): string =>
    (message ??= detail(`${what}: ${print(value)}`, text));
  return {
    type,
    field: at.toString(),
    get message() {
      return messageBy(formatValue);
    },
    messageBy,
  };
}

export const required = (at: At, text = ''): FieldError =>
  make('FieldValueRequired', at, detail('Required value', text));
export const invalid = (at: At, value: unknown, text: string): FieldError =>
  showing('FieldValueInvalid', at, 'Invalid value', value, text);
export const typeInvalid = (at: At, value: unknown, text: string): FieldError =>
  showing('FieldValueTypeInvalid', at, 'Invalid value', value, text);
export const forbidden = (at: At, text = ''): FieldError => make('FieldValueForbidden', at, detail('Forbidden', text));
/** An error that does not show the value. */
export const invalidOmitted = (at: At, text: string): FieldError =>
  make('FieldValueInvalid', at, detail('Invalid value', text));
export const duplicateOmitted = (at: At): FieldError => make('FieldValueDuplicate', at, 'Duplicate value');
export const duplicate = (at: At, value: unknown): FieldError =>
  showing('FieldValueDuplicate', at, 'Duplicate value', value);
export const notFound = (at: At, value: unknown): FieldError => showing('FieldValueNotFound', at, 'Not found', value);
export const internal = (at: At, text: string): FieldError => make('InternalError', at, detail('Internal error', text));
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

export const tooLong = (at: At, maxBytes: number): FieldError =>
  make(
    'FieldValueTooLong',
    at,
    maxBytes < 0 ? 'Too long: value is too long' : `Too long: may not be more than ${count(maxBytes, 'byte')}`,
  );
export const tooMany = (at: At, actual: number, max: number): FieldError =>
  make(
    'FieldValueTooMany',
    at,
    `Too many: ${actual}: ${max < 0 ? 'has too many items' : `must have at most ${count(max, 'item')}`}`,
  );
/** `supported` is printed in the order given; upstream sorts most enums alphabetically, so pass them sorted. */
export const notSupported = (at: At, value: unknown, supported: readonly string[]): FieldError =>
  showing(
    'FieldValueNotSupported',
    at,
    'Unsupported value',
    value,
    supported.length === 0 ? '' : `supported values: ${supported.map(s => JSON.stringify(s)).join(', ')}`,
  );

/** "path: message", the form inside a Status message. */
export const formatFieldError = (error: FieldError): string =>
  error.field === '' ? `${error.message}` : `${error.field}: ${error.message}`;
