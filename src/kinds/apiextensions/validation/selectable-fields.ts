import {
  duplicate,
  invalid,
  required,
  tooMany,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.js';
import type { JsonSchemaProps } from '../../../api/structural/json-schema-props.js';
import type { SchemaHolder, SelectableField } from '../types.js';
import {
  createFieldFinder,
  FieldPathError,
  fieldText,
  type FieldFinder,
  type FoundField,
} from '../../../api/structural/field-path.js';
import { createStructuralProblem } from './structural-problem.js';

export const MAX_SELECTABLE_FIELDS = 8;
const TYPES: ReadonlySet<string> = new Set(['string', 'boolean', 'integer']);
const WRONG_TYPE =
  'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';

export interface SelectableContext {
  readonly holder: SchemaHolder | undefined;
  /** What is said when there is none. */
  readonly noSchema: string;
  readonly anyNumber: boolean;
}

/** `at` is where the fields stand, `around` where the schema does. */
export function checkSelectableFields(
  out: FieldError[],
  around: FieldPath,
  fields: readonly SelectableField[],
  { holder, noSchema, anyNumber }: SelectableContext,
): void {
  if (fields.length === 0) return;
  const at = around.child('selectableFields');
  if (holder === undefined) return void out.push(invalid(at, '', noSchema));
  const given = holder.openAPIV3Schema ?? {};
  const problem = createStructuralProblem()(given);
  if (problem !== undefined) out.push(invalid(around.child('schema.openAPIV3Schema'), '', problem));
  // Upstream goes on without a schema, where looking for a field is the end of the request.
  const schema = problem === undefined ? given : {};
  const finder = createFieldFinder(schema as JsonSchemaProps, { brackets: false });
  const seen = new Set<string>();
  fields.forEach(({ jsonPath = '' }, i) => {
    const where = at.index(i).child('jsonPath');
    if (jsonPath === '') return void out.push(required(where));
    const found = find(jsonPath, finder);
    if (typeof found === 'string') return void out.push(invalid(where, jsonPath, `is an invalid path: ${found}`));
    if (found.steps[0]?.name === 'metadata') out.push(invalid(where, jsonPath, 'must not point to fields in metadata'));
    if (!TYPES.has(found.schema?.type ?? '')) out.push(invalid(where, jsonPath, WRONG_TYPE));
    const text = fieldText(found);
    if (seen.has(text)) out.push(duplicate(where, jsonPath));
    seen.add(text);
  });
  if (seen.size > MAX_SELECTABLE_FIELDS && !anyNumber) out.push(tooMany(at, seen.size, MAX_SELECTABLE_FIELDS));
}

function find(path: string, finder: FieldFinder): FoundField | string {
  try {
    return finder(path);
  } catch (error) {
    if (error instanceof FieldPathError) return error.message;
    throw error;
  }
}
