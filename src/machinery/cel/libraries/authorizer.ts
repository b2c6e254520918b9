import { parseFieldSelector, type FieldRequirement } from '../../fields.js';
import { trimSpace } from '../../go-space.js';

import { SelectorError, type Requirement } from '../../label-requirement.js';
import { parseLabelSelector } from '../../labels.js';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../validation/names.js';
import type { Declaration, Example, Library, Overload, Range } from '../declarations.js';
import { addRanges, exactly, scaleRange } from '../ranges.js';
import { TEXT_COST, sizeOf } from '../standard/sizes.js';
import { BOOL, STRING, struct, type Type } from '../types.js';
import { CelError, type OpaqueValue, type Value } from '../values.js';
import { LIST_COST, STRUCT_COST } from './costs.js';
import { method, NOMINAL, sizeOfArg } from './overloads.js';

/**
 * Questions about what a user may do, asked step by step. Who answers is passed in with the variable `authorizer`.
 * Source: k8s.io/apiserver pkg/cel/library/authz.go.
 */
export interface AuthorizationQuestion {
  readonly verb: string;
  /** The service account that is asked about; absent: who sent the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly subject:
    | { readonly kind: 'path'; readonly path: string }
    | ({ readonly kind: 'resource' } & ResourceCheck & Selectors);
}

interface ResourceCheck {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** What could not be read narrows nothing. */
interface Selectors {
  readonly fields?: readonly FieldRequirement[];
  readonly labels?: readonly Requirement[];
}

export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error?: string;
}

export type Authorize = (question: AuthorizationQuestion) => AuthorizationAnswer;

export const AUTHORIZER_TYPE = struct('kubernetes.authorization.Authorizer');
const PATH_CHECK = struct('kubernetes.authorization.PathCheck');
const GROUP_CHECK = struct('kubernetes.authorization.GroupCheck');
export const RESOURCE_CHECK_TYPE = struct('kubernetes.authorization.ResourceCheck');
const DECISION = struct('kubernetes.authorization.Decision');
const TYPES = [AUTHORIZER_TYPE, PATH_CHECK, GROUP_CHECK, RESOURCE_CHECK_TYPE, DECISION];

/** A comparison of them fails: upstream looks for a type that none of them is. */
abstract class Step implements OpaqueValue {
  readonly kind = 'opaque';
  abstract readonly type: Type;
}

type Asker = Pick<AuthorizationQuestion, 'serviceAccount'> & { readonly authorize: Authorize };

class AuthorizerValue extends Step {
  readonly type = AUTHORIZER_TYPE;
  constructor(readonly asker: Asker) {
    super();
  }
}

class PathCheckValue extends Step {
  readonly type = PATH_CHECK;
  constructor(
    readonly asker: Asker,
    readonly path: string,
  ) {
    super();
  }
}

class GroupCheckValue extends Step {
  readonly type = GROUP_CHECK;
  constructor(
    readonly asker: Asker,
    readonly group: string,
  ) {
    super();
  }
}

class ResourceCheckValue extends Step {
  readonly type = RESOURCE_CHECK_TYPE;
  constructor(
    readonly asker: Asker,
    readonly check: ResourceCheck,
    readonly selectors: { readonly fields?: string; readonly labels?: string } = {},
  ) {
    super();
  }
}

class DecisionValue extends Step {
  readonly type = DECISION;
  constructor(readonly answer: AuthorizationAnswer) {
    super();
  }
}

/** The variable `authorizer`. */
export const authorizerValue = (authorize: Authorize): Value => new AuthorizerValue({ authorize });

/** The variable `authorizer.requestResource`. */
export const resourceCheckValue = (authorize: Authorize, check: ResourceCheck): Value =>
  new ResourceCheckValue({ authorize }, check);

const isBlank = (text: string): boolean => trimSpace(text) === '';

function checkPath({ asker }: AuthorizerValue, path: string): Value {
  return isBlank(path) ? new CelError('path must not be empty') : new PathCheckValue(asker, path);
}

function forServiceAccount({ asker }: AuthorizerValue, namespace: string, name: string): Value {
  if (nameIsDnsSubdomain(name, false).length > 0) return new CelError('Invalid service account name');
  if (nameIsDnsLabel(namespace, false).length > 0) return new CelError('Invalid service account namespace');
  return new AuthorizerValue({ ...asker, serviceAccount: { namespace, name } });
}

function checkResource({ asker, group }: GroupCheckValue, resource: string): Value {
  if (isBlank(resource)) return new CelError('resource must not be empty');
  return new ResourceCheckValue(asker, { group, resource, subresource: '', namespace: '', name: '' });
}

function ask({ authorize, serviceAccount }: Asker, verb: string, subject: AuthorizationQuestion['subject']): Value {
  const who = serviceAccount === undefined ? {} : { serviceAccount };
  return new DecisionValue(authorize({ verb, subject, ...who }));
}

function parsed<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  if (!text) return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

function selectorsOf({ selectors }: ResourceCheckValue): Selectors {
  const fields = parsed(selectors.fields, text => parseFieldSelector(text).requirements);
  const labels = parsed(selectors.labels, text => parseLabelSelector(text).requirements ?? []);
  return { ...(fields === undefined ? {} : { fields }), ...(labels === undefined ? {} : { labels }) };
}

const askAboutResource = (value: ResourceCheckValue, verb: string): Value =>
  ask(value.asker, verb, { kind: 'resource', ...value.check, ...selectorsOf(value) });

/** An expression has room for two of them. */
const CHECK: Pick<Overload, 'cost' | 'estimate'> = {
  cost: () => 350_000,
  estimate: () => ({ cost: exactly(350_000) }),
};

/** A selector of n characters has n/2 requirements, each of which is a struct with a list. */
const selectorCost = (length: Range): Range =>
  addRanges(
    addRanges(exactly(LIST_COST), scaleRange(length, TEXT_COST)),
    scaleRange(scaleRange(length, 0.5), LIST_COST + STRUCT_COST),
  );

const SELECTOR: Pick<Overload, 'cost' | 'estimate'> = {
  cost: args => selectorCost(exactly(sizeOf(args[1] ?? null))).max,
  estimate: call => ({ cost: selectorCost(sizeOfArg(call, 1)) }),
};

const declare = (name: string, doc: string, examples: readonly Example[], ...overloads: Overload[]): Declaration => ({
  name,
  doc,
  examples,
  overloads,
});

/** A part of a resource check that a text is put into. */
const narrowed = (name: 'subresource' | 'namespace' | 'name', doc: string): Declaration =>
  declare(
    name,
    doc,
    [],
    method(
      `resourcecheck_${name}`,
      [RESOURCE_CHECK_TYPE, STRING],
      RESOURCE_CHECK_TYPE,
      ({ asker, check, selectors }: ResourceCheckValue, text: string) =>
        new ResourceCheckValue(asker, { ...check, [name]: text }, selectors),
      NOMINAL,
    ),
  );

const selected = (name: 'fields' | 'labels', function_: string, id: string, doc: string): Declaration =>
  declare(
    function_,
    doc,
    [],
    method(
      id,
      [RESOURCE_CHECK_TYPE, STRING],
      RESOURCE_CHECK_TYPE,
      ({ asker, check, selectors }: ResourceCheckValue, text: string) =>
        new ResourceCheckValue(asker, check, { ...selectors, [name]: text }),
      SELECTOR,
    ),
  );

const told = (name: string, doc: string, type: Type, tell: (answer: AuthorizationAnswer) => Value): Declaration =>
  declare(
    name,
    doc,
    [],
    method(`decision_${name}`, [DECISION], type, ({ answer }: DecisionValue) => tell(answer), NOMINAL),
  );

export const AUTHORIZER: Library = {
  name: 'kubernetes.authz',
  types: TYPES.map(type => ({
    type,
    doc: 'A step of a question about what a user may do.',
    isIdentifier: false,
    equalityCost: 1,
    estimateEquality: () => exactly(1),
  })),
  functions: [
    declare(
      'path',
      'Asks about a path that is no resource.',
      [{ expr: `authorizer.path(' ')`, error: 'path must not be empty' }],
      method('authorizer_path', [AUTHORIZER_TYPE, STRING], PATH_CHECK, checkPath, NOMINAL),
    ),
    declare(
      'group',
      'Asks about resources of a group.',
      [{ expr: "authorizer.group('') == authorizer.group('')", error: 'no such overload' }],
      method(
        'authorizer_group',
        [AUTHORIZER_TYPE, STRING],
        GROUP_CHECK,
        ({ asker }: AuthorizerValue, group: string) => new GroupCheckValue(asker, group),
        NOMINAL,
      ),
    ),
    declare(
      'serviceAccount',
      'Asks for a service account and not for who sent the request.',
      [
        { expr: `authorizer.serviceAccount('default', 'a@b')`, error: 'Invalid service account name' },
        { expr: `authorizer.serviceAccount('a.b', 'a')`, error: 'Invalid service account namespace' },
      ],
      method(
        'authorizer_serviceaccount',
        [AUTHORIZER_TYPE, STRING, STRING],
        AUTHORIZER_TYPE,
        forServiceAccount,
        NOMINAL,
      ),
    ),
    declare(
      'resource',
      'Asks about a resource.',
      [{ expr: `authorizer.group('').resource('')`, error: 'resource must not be empty' }],
      method('groupcheck_resource', [GROUP_CHECK, STRING], RESOURCE_CHECK_TYPE, checkResource, NOMINAL),
    ),
    narrowed('subresource', 'Asks about a subresource.'),
    narrowed('namespace', 'Asks about one namespace; without one, about all or what is in none.'),
    narrowed('name', 'Asks about one object.'),
    declare(
      'check',
      'Whether the verb is allowed.',
      [],
      method(
        'pathcheck_check',
        [PATH_CHECK, STRING],
        DECISION,
        ({ asker, path }: PathCheckValue, verb: string) => ask(asker, verb, { kind: 'path', path }),
        CHECK,
      ),
      method('resourcecheck_check', [RESOURCE_CHECK_TYPE, STRING], DECISION, askAboutResource, CHECK),
    ),
    told('errored', 'Whether there was an error.', BOOL, ({ error }) => error !== undefined),
    told('error', 'The error; empty when there was none.', STRING, ({ error = '' }) => error),
    told('allowed', 'Whether it is allowed.', BOOL, ({ allowed }) => allowed),
    told('reason', 'Why.', STRING, ({ reason }) => reason),
  ],
};

export const AUTHORIZER_SELECTORS: Library = {
  name: 'kubernetes.authzSelectors',
  functions: [
    selected('fields', 'fieldSelector', 'authorizer_fieldselector', 'Asks about what a field selector selects.'),
    selected('labels', 'labelSelector', 'authorizer_labelselector', 'Asks about what a label selector selects.'),
  ],
};
