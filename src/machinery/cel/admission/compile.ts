import { atOnce, type Steps } from '../../steps.js';
import { compileSteps, InstantiationError, type Program } from '../compile.js';
import { createEnvironment, extendEnvironment, type Environment } from '../environment.js';
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from '../libraries/authorizer.js';
import { KUBERNETES } from '../libraries/kubernetes.js';
import type { SchemaType } from '../adapt/schema.js';
import type { TypeProvider } from '../provider.js';
import { DYN, printType, type Type } from '../types.js';
import { DEVICE, NAMESPACE, providerOf, REQUEST, VARIABLES, variableType } from './structs.js';

/** What expressions of admission may name, beside `object`, `oldObject`, `request` and `namespaceObject`. */
export interface Scope {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** Types of the policy's own variables; undefined: it has none, and expressions do not know of any. */
  readonly variables?: ReadonlyMap<string, Type>;
}

const BASE = createEnvironment({ libraries: KUBERNETES });

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

function* compileIn(source: string, environment: Environment, returns: Returns | undefined): Steps<CompiledExpression> {
  const compiled = yield* compileSteps(source, environment);
  if ('problems' in compiled)
    return { error: `compilation failed: ${compiled.problems}`, isInternal: false, type: undefined };
  const { type } = compiled;
  const name = printType(type);
  if (returns !== undefined && !returns.includes(name))
    return { error: mismatch(returns, name), isInternal: false, type: undefined };
  try {
    return { source, type, program: yield* compiled.instantiateSteps() };
  } catch (error) {
    if (!(error instanceof InstantiationError)) throw error;
    return { error: `program instantiation failed: ${error.message}`, isInternal: true, type: undefined };
  }
}

/** Compiles expressions that may name the same. */
export type Compiler = (source: string, returns?: Returns) => CompiledExpression;
/** The same with rests: an expression may be long. */
export type CompilerInSteps = (source: string, returns?: Returns) => Steps<CompiledExpression>;

export function createCompilerInSteps(scope: Scope): CompilerInSteps {
  const environment = environmentOf(scope);
  return (source, returns) => compileIn(source, environment, returns);
}

export function createCompiler(scope: Scope): Compiler {
  const compile = createCompilerInSteps(scope);
  return (source, returns) => atOnce(compile(source, returns));
}

/** A selector of devices: about one device. */
export const compileDeviceSelector: Compiler = (source, returns) => atOnce(compileIn(source, DEVICES, returns));

/** What is wrong with an expression about objects of one kind; undefined: nothing. It rests. */
export type TypeCheck = (source: string) => Steps<string | undefined>;

const joined = (...providers: readonly TypeProvider[]): TypeProvider => ({
  has: name => providers.some(provider => provider.has(name)),
  field(name, field) {
    for (const provider of providers) {
      const type = provider.field(name, field);
      if (type !== undefined) return type;
    }
    return undefined;
  },
});

/**
 * Checks a policy's expressions with what is known of a kind and of its parameters, though they may run on anything.
 * Source: apiserver plugin/policy/validating/typechecking.go.
 */
export function* createTypeCheck(
  object: SchemaType,
  params: SchemaType | undefined,
  variables: readonly { readonly name: string; readonly expression: string }[],
): Steps<TypeCheck> {
  const types = new Map<string, Type>();
  const environment = extendEnvironment(BASE, {
    variables: new Map<string, Type>([
      ['object', object.type],
      ['oldObject', object.type],
      ['namespaceObject', NAMESPACE],
      ['request', REQUEST],
      ['variables', VARIABLES],
      ['authorizer', AUTHORIZER_TYPE],
      ...(params === undefined ? [] : ([['params', params.type]] as const)),
    ]),
    provider: joined(providerOf(types), object.provider, ...(params === undefined ? [] : [params.provider])),
  });
  const check = (source: string) => compileSteps(source, environment);
  for (const { name, expression } of variables) {
    const compiled = yield* check(expression);
    types.set(name, 'problems' in compiled ? DYN : variableType(compiled.type));
  }
  return function* (source) {
    const compiled = yield* check(source);
    return 'problems' in compiled ? compiled.problems : undefined;
  };
}
