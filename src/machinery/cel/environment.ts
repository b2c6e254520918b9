import type { Declaration, Library, Macro, Overload, TypeDeclaration } from './declarations.js';
import type { TypeProvider } from './provider.js';
import type { Syntax } from './syntax/syntax.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
  type Type,
} from './types.js';
import { CelError, type Value } from './values.js';

/** All that is declared of one function. */
export interface FunctionEntry {
  readonly name: string;
  readonly overloads: readonly Overload[];
}

/** What an expression may name and call. Made once, it serves any number of expressions. */
export interface Environment {
  readonly syntax: Syntax;
  readonly variables: ReadonlyMap<string, Type>;
  /** Where names are looked for first: "a.b" finds a.b.x, then a.x, then x. */
  readonly container: string;
  readonly provider: TypeProvider;
  /** Whether all items of a list, and all keys and values of a map, that are written out must be of one type. */
  readonly homogeneous: boolean;
  function(name: string): FunctionEntry | undefined;
  type(name: string): TypeDeclaration | undefined;
}

export interface EnvironmentOptions {
  readonly libraries: readonly Library[];
  readonly variables?: ReadonlyMap<string, Type>;
  readonly provider?: TypeProvider;
  readonly container?: string;
  readonly homogeneous?: boolean;
  readonly optionals?: boolean;
  readonly escapedNames?: boolean;
}

const NO_STRUCTS: TypeProvider = { field: () => undefined, has: () => false };

const create = (provider: TypeProvider, struct: string, fields: ReadonlyMap<string, Value>): Value =>
  provider.create?.(struct, fields) ?? new CelError(`unknown type '${struct}'`);

/** Names of types that the language itself has. */
const IDENTIFIERS: ReadonlyMap<string, Type> = new Map(
  [BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, UINT, listOf(DYN), mapOf(DYN, DYN), typeOf()].map(
    type => [type.name, type],
  ),
);

const macroKey = (name: string, isMember: boolean, args: number | 'any'): string => `${args} ${isMember} ${name}`;

export function createEnvironment(options: EnvironmentOptions): Environment {
  const functions = new Map<string, { name: string; overloads: Overload[] }>();
  const macros = new Map<string, Macro>();
  const types = new Map<string, TypeDeclaration>();
  for (const library of options.libraries) {
    for (const declaration of library.functions) declare(functions, declaration);
    for (const macro of library.macros ?? []) macros.set(macroKey(macro.name, macro.member, macro.arity), macro);
    for (const type of library.types ?? []) types.set(type.type.name, type);
  }
  const { provider = NO_STRUCTS } = options;
  return {
    syntax: {
      optionals: options.optionals ?? true,
      escapedNames: options.escapedNames ?? false,
      macro: (name, isMember, args) =>
        macros.get(macroKey(name, isMember, args)) ?? macros.get(macroKey(name, isMember, 'any')),
    },
    variables: options.variables ?? new Map(),
    container: options.container ?? '',
    homogeneous: options.homogeneous ?? true,
    provider: {
      field: (struct, field) => provider.field(struct, field),
      has: name => provider.has(name),
      create: (struct, fields) => create(provider, struct, fields),
      identifier: name => IDENTIFIERS.get(name) ?? identifierOf(types, name) ?? provider.identifier?.(name),
    },
    function: name => functions.get(name),
    type: name => types.get(name),
  };
}

function identifierOf(types: ReadonlyMap<string, TypeDeclaration>, name: string): Type | undefined {
  const declared = types.get(name);
  return declared?.isIdentifier === true ? declared.type : undefined;
}

/** Libraries may each have overloads of one function. */
function declare(functions: Map<string, { name: string; overloads: Overload[] }>, declaration: Declaration): void {
  const { name } = declaration;
  const known = functions.get(name);
  if (known === undefined) functions.set(name, { name, overloads: [...declaration.overloads] });
  else for (const overload of declaration.overloads) known.overloads.push(overload);
}

/** The same with other variables and structs: what is slow to make is shared. */
export function extendEnvironment(
  base: Environment,
  { variables, provider }: { readonly variables: ReadonlyMap<string, Type>; readonly provider?: TypeProvider },
): Environment {
  const more = provider ?? NO_STRUCTS;
  return {
    ...base,
    variables: new Map([...base.variables, ...variables]),
    provider: {
      field: (struct, field) => more.field(struct, field) ?? base.provider.field(struct, field),
      has: name => more.has(name) || base.provider.has(name),
      create: (struct, fields) => create(more.has(struct) ? more : base.provider, struct, fields),
      identifier: name => base.provider.identifier?.(name) ?? more.identifier?.(name),
    },
  };
}

/** Where a name may be found, in this order. */
export function candidateNames(container: string, name: string): readonly string[] {
  if (name.startsWith('.')) return [name.slice(1)];
  const names: string[] = [];
  for (let prefix = container; prefix !== ''; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.'))))
    names.push(`${prefix}.${name}`);
  return [...names, name];
}
