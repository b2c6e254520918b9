import { RESERVED } from '../../../machinery/cel/syntax/reserved-words.js';
import type { Type } from '../../../machinery/cel/types.js';
import { printType } from '../../../machinery/cel/types.js';
import { internal, invalid, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import {
  compileDeviceSelector,
  createCompiler,
  isCompileError,
  type CompiledExpression,
  type Returns,
} from '../../../machinery/cel/admission/compile.js';

/** What an expression of a policy or a webhook may name, and what it may be. */
export interface CelRules {
  readonly hasParams?: boolean;
  /** Absent: yes. */
  readonly hasAuthorizer?: boolean;
  /** Types of a policy's own variables: each may name those before it. Absent: it has none. */
  readonly variables?: ReadonlyMap<string, Type>;
  /** The types that the result may have; absent: any. */
  readonly returns?: Returns;
}

function tell(out: FieldError[], at: FieldPath, expression: string, compiled: CompiledExpression): void {
  if (!isCompileError(compiled)) return;
  out.push(compiled.isInternal ? internal(at, compiled.error) : invalid(at, expression, compiled.error));
}

/** A selector of devices: about one device, true or false. */
export function checkDeviceSelector(out: FieldError[], at: FieldPath, expression: string): void {
  const compiled = compileDeviceSelector(expression);
  tell(out, at, expression, compiled);
  if (isCompileError(compiled)) return;
  const name = printType(compiled.type);
  if (name !== 'bool' && name !== 'dyn')
    out.push(invalid(at, expression, `must evaluate to bool or the unknown type, not ${name}`));
}

/** Says what is wrong with an expression of admission. @returns its type; undefined: nothing is known of it */
export function checkCel(out: FieldError[], at: FieldPath, expression: string, rules: CelRules): Type | undefined {
  const { hasParams = false, hasAuthorizer = true, variables, returns } = rules;
  const known = variables === undefined ? {} : { variables };
  const compiled = createCompiler({ hasParams, hasAuthorizer, ...known })(expression, returns);
  tell(out, at, expression, compiled);
  return compiled.type;
}

export const isCelIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name);
