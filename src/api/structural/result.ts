import {
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
  type FieldError,
} from '../../machinery/field-error.js';
import { formatGo, formatGoFloat, goJson, quote } from '../../machinery/go-text.js';

/**
 * What a check of values found, in the words of kube-openapi pkg/validation/errors; the field errors made of it are
 * apiextensions-apiserver pkg/apiserver/validation's.
 */
export interface Problem {
  /** Go's text of the error: what has been said already is not said again. */
  readonly text: string;
  /** `within` is where the value that was validated is: '' for a whole object. */
  error(within: string): FieldError;
}

export class Result {
  /** How much was in order: alternatives that fail are told from one another by it. */
  matches = 0;
  private found: Map<string, Problem> | undefined;

  get isValid(): boolean {
    return this.found === undefined;
  }

  get problems(): Iterable<Problem> {
    return this.found?.values() ?? [];
  }

  add(problem: Problem): void {
    this.found ??= new Map<string, Problem>();
    if (!this.found.has(problem.text)) this.found.set(problem.text, problem);
  }

  merge(other: Result): void {
    this.matches += other.matches;
    if (other.found !== undefined) for (const problem of other.found.values()) this.add(problem);
  }
}

/** The path of a problem, in the object whose validated part is `within`. */
function fieldOf(name: string, within: string): string {
  const rest = name.startsWith('.') ? name.slice(1) : name;
  if (rest === '') return within === '' ? NO_PATH : within;
  return within === '' ? rest : `${within}.${rest}`;
}

/** How Go prints a path that is not there. */
export const NO_PATH = '<nil>';

const inBody = (name: string, text: string): string => `${name} in body ${text}`;

/** A problem whose text is all there is to say. */
const plain = (name: string, value: unknown, text: string): Problem => ({
  text,
  error: within => invalid(fieldOf(name, within), value, text),
});

/** A problem of a combination of schemas is not one of a field. */
const ofSchemas = (text: string): Problem => ({ text, error: within => invalid(fieldOf('', within), '', text) });

export const wrongType = (name: string, wanted: string, found: string): Problem => {
  const text = inBody(name, `must be of type ${wanted}: ${quote(found)}`);
  return { text, error: within => typeInvalid(fieldOf(name, within), found, text) };
};
export const missing = (name: string): Problem => ({
  text: inBody(name, 'is required'),
  error: within => required(fieldOf(name, within)),
});
export const notInEnum = (name: string, value: unknown, allowed: readonly unknown[]): Problem => ({
  text: inBody(name, `should be one of ${formatGo(allowed)}`),
  error: within =>
    notSupported(
      fieldOf(name, within),
      value,
      allowed.map(one => (typeof one === 'string' ? one : goJson(one))),
    ),
});
export const longText = (name: string, max: number): Problem => ({
  text: inBody(name, `should be at most ${max} chars long`),
  error: within => tooLong(fieldOf(name, within), max),
});
export const shortText = (name: string, value: string, min: number): Problem =>
  plain(name, value, inBody(name, `should be at least ${min} chars long`));
export const noMatch = (name: string, value: string, pattern: string): Problem =>
  plain(name, value, inBody(name, `should match '${pattern}'`));
export const manyItems = (name: string, count: number, max: number): Problem => ({
  text: inBody(name, `should have at most ${max} items`),
  error: within => tooMany(fieldOf(name, within), count, max),
});
export const fewItems = (name: string, count: number, min: number): Problem =>
  plain(name, count, inBody(name, `should have at least ${min} items`));
export const repeatedItems = (name: string): Problem => plain(name, '', inBody(name, "shouldn't contain duplicates"));
export const manyProperties = (name: string, count: number, max: number): Problem => ({
  text: inBody(name, `should have at most ${max} properties`),
  error: within => tooMany(fieldOf(name, within), count, max),
});
export const fewProperties = (name: string, count: number, min: number): Problem =>
  plain(name, count, inBody(name, `should have at least ${min} properties`));
export const forbiddenProperty = (name: string, key: string): Problem =>
  plain(name, key, `${name}.${key} in body is a forbidden property`);

/** A limit as Go prints it: whole where the value is, else as a float. */
const limitText = (limit: number, whole: boolean): string => (whole ? String(BigInt(limit)) : formatGoFloat(limit));

export const above = (name: string, value: number, limit: number, exclusive: boolean, whole: boolean): Problem =>
  plain(name, value, inBody(name, `should be less than ${exclusive ? '' : 'or equal to '}${limitText(limit, whole)}`));
export const below = (name: string, value: number, limit: number, exclusive: boolean, whole: boolean): Problem =>
  plain(
    name,
    value,
    inBody(name, `should be greater than ${exclusive ? '' : 'or equal to '}${limitText(limit, whole)}`),
  );
export const noMultiple = (name: string, value: number, factor: number, whole: boolean): Problem =>
  plain(name, value, inBody(name, `should be a multiple of ${limitText(factor, whole)}`));
export const strangeFactor = (name: string, factor: number): Problem =>
  plain(name, factor, `factor MultipleOf declared for ${name} must be positive: ${factor}`);

export const noneOfAny = (name: string): Problem =>
  ofSchemas(`${quote(name)} must validate at least one schema (anyOf)`);
export const notOneOf = (name: string, found: number): Problem =>
  ofSchemas(
    `${quote(name)} must validate one and only one schema (oneOf). ${found === 0 ? 'Found none valid' : `Found ${found} valid alternatives`}`,
  );
export const notAllOf = (name: string, none: boolean): Problem =>
  ofSchemas(`${quote(name)} must validate all the schemas (allOf)${none ? '. None validated' : ''}`);
export const isNot = (name: string): Problem => ofSchemas(`${quote(name)} must not validate the schema (not)`);
