import { Ajv, type ErrorObject } from 'ajv';
import type { JsonObject } from '../machinery/types.js';

/** One way in which a value breaks its schema. */
export interface SchemaProblem {
  /** JSON pointer to the value: "/spec/size"; '' is the whole. */
  readonly pointer: string;
  /** The schema keyword that is broken, e.g. "minimum". */
  readonly keyword: string;
  /** The keyword's value and what it was about, e.g. {comparison: '>=', limit: 1}. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** All problems of a value; empty when it is valid. */
export type SchemaValidator = (value: unknown) => readonly SchemaProblem[];

export interface SchemaCompiler {
  /** @throws Error when the schema itself is broken */
  compile(schema: JsonObject): SchemaValidator;
}

/**
 * Compiles the JSON schemas of CustomResourceDefinitions, which are known at run time only. Built-in kinds have their
 * own readers (codec/read-type), which check, convert and say Go's words in one pass.
 * Keep one compiler: making one costs more than compiling a schema. Loading this module loads ajv; import it when the
 * first definition is there.
 */
export function createSchemaCompiler(): SchemaCompiler {
  // Structural schemas carry x-kubernetes-* keywords and OpenAPI formats that ajv does not know; both are no errors.
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, addUsedSchema: false });
  return {
    compile(schema) {
      const validate = ajv.compile(schema);
      return value => (validate(value) === true ? [] : (validate.errors ?? []).map(problem));
    },
  };
}

const problem = ({ instancePath, keyword, params, message }: ErrorObject): SchemaProblem => ({
  pointer: instancePath,
  keyword,
  params: params as Readonly<Record<string, unknown>>,
  message: message ?? '',
});
