import { compile, InstantiationError, type Program } from '../../../machinery/cel/compile.js';
import { createEnvironment, extendEnvironment, type Environment } from '../../../machinery/cel/environment.js';
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from '../../../machinery/cel/libraries/authorizer.js';
import { KUBERNETES } from '../../../machinery/cel/libraries/kubernetes.js';
import { DYN, printType, type Type } from '../../../machinery/cel/types.js';
import { DEVICE, NAMESPACE, providerOf, REQUEST, VARIABLES } from './structs.js';

/** What expressions of admission may name, beside `object`, `oldObject`, `request` and `namespaceObject`. */
export interface Scope {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** Types of the policy's own variables; undefined: it has none, and expressions do not know of any. */
  readonly variables?: ReadonlyMap<string, Type>;
}

const BASE = createEnvironment({ libraries: KUBERNETES, homogeneous: false });

const named = new Map([
  ['object', DYN],
  ['oldObject', DYN],
  ['namespaceObject', NAMESPACE],
  ['request', REQUEST],
]);
const AUTHORIZERS: readonly (readonly [string, Type])[] = [
  ['authorizer', AUTHORIZER_TYPE],
  ['authorizer.requestResource', RESOURCE_CHECK_TYPE],
];

function environmentOf({ hasParams, hasAuthorizer, variables }: Scope): Environment {
  return extendEnvironment(BASE, {
    variables: new Map<string, Type>([
      ...named,
      ...(hasParams ? ([['params', DYN]] as const) : []),
      ...(hasAuthorizer ? AUTHORIZERS : []),
      ...(variables === undefined ? [] : ([['variables', VARIABLES]] as const)),
    ]),
    provider: providerOf(variables),
  });
}

const DEVICES = extendEnvironment(BASE, { variables: new Map([['device', DEVICE]]), provider: providerOf() });

/** Why an expression cannot be run. An internal error is told otherwise than one of whoever wrote it. */
export interface CompileError {
  readonly error: string;
  readonly isInternal: boolean;
  /** As far as it is known. */
  readonly type: Type | undefined;
}

export interface Expression {
  readonly source: string;
  readonly type: Type;
  readonly program: Program;
}

export type CompiledExpression = Expression | CompileError;

export const isCompileError = (compiled: CompiledExpression): compiled is CompileError => 'error' in compiled;

/** What a result may be: one of these types, by cel-go's names; absent: anything. */
export type Returns = readonly string[];

const mismatch = ([only = '', ...more]: Returns, got: string): string =>
  more.length === 0
    ? `must evaluate to ${only} but got ${got}`
    : `must evaluate to one of [${[only, ...more].join(' ')}] but got ${got}`;

function compileIn(source: string, environment: Environment, returns: Returns | undefined): CompiledExpression {
  const compiled = compile(source, environment);
  if ('problems' in compiled)
    return { error: `compilation failed: ${compiled.problems}`, isInternal: false, type: undefined };
  const { type } = compiled;
  const name = printType(type);
  if (returns !== undefined && !returns.includes(name))
    return { error: mismatch(returns, name), isInternal: false, type: undefined };
  try {
    return { source, type, program: compiled.instantiate() };
  } catch (error) {
    if (!(error instanceof InstantiationError)) throw error;
    return { error: `program instantiation failed: ${error.message}`, isInternal: true, type: undefined };
  }
}

/** Compiles expressions that may name the same. */
export type Compiler = (source: string, returns?: Returns) => CompiledExpression;

export function createCompiler(scope: Scope): Compiler {
  const environment = environmentOf(scope);
  return (source, returns) => compileIn(source, environment, returns);
}

/** A selector of devices: about one device. */
export const compileDeviceSelector: Compiler = (source, returns) => compileIn(source, DEVICES, returns);
