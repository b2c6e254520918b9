import { parseDuration } from '../../machinery/duration.js';
import { compileGoRegex, type GoRegex } from '../../machinery/regex/go-regex.js';
import { RegexError } from '../../machinery/regex/syntax.js';
import type { FieldMatch, PathMatch, Rule } from '../routing/route-table.js';
import { DEFAULT_LIMITS, type Backend, type BackendPort, type Route } from '../routing/route.js';
import { fails, type Verdict } from './conditions.js';
import { filtered, Unsupported } from './filters.js';
import type { BackendRef, HttpRoute, RouteMatch, RouteRule, ValueMatch } from './types.js';

/** What is known of backends that a route names. */
export interface Named {
  /** Why a port of a Service cannot be asked; undefined: it can. */
  problemOf(port: BackendPort): { readonly message: string } | undefined;
  isGranted(service: { readonly namespace: string; readonly name: string }): boolean;
}

/** A route's rules for any host, and what is to be said of them. */
export interface RouteRules {
  readonly rules: readonly Omit<Rule<Route>, 'host'>[];
  /** Undefined: all that it names is there. */
  readonly unresolved: Verdict | undefined;
  /** Undefined: all that it asks for is served. */
  readonly unsupported: Verdict | undefined;
}

const MAX_REGEX = 2_000;
/** nginx's body limit is not Gateway API's: bodies go through piece by piece. */
const NO_LIMIT = 0;

/** An expression that has to take the whole of a text. @throws Unsupported */
function regexOf(pattern: string): GoRegex {
  try {
    const regex = compileGoRegex(`^(?:${pattern})$`);
    if (regex.size > MAX_REGEX) throw new Unsupported(`the expression ${JSON.stringify(pattern)} is too large`);
    return regex;
  } catch (error) {
    if (error instanceof RegexError) throw new Unsupported(error.message, { cause: error });
    throw error;
  }
}

function pathOf({ path }: RouteMatch): PathMatch {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  if (type === 'Exact') return { kind: 'exact', path: value };
  if (type === 'PathPrefix') return { kind: 'prefix', path: value };
  if (type === 'RegularExpression') return { kind: 'regex', pattern: value, regex: regexOf(value) };
  throw new Unsupported(`path match ${type}`);
}

/** Of several for one name the first holds. */
function fieldsOf(matches: readonly ValueMatch[] = [], canonical: (name: string) => string): FieldMatch[] {
  const fields = new Map<string, FieldMatch>();
  for (const { type = 'Exact', name, value } of matches) {
    const key = canonical(name);
    if (fields.has(key)) continue;
    if (type !== 'Exact' && type !== 'RegularExpression') throw new Unsupported(`match ${type}`);
    fields.set(key, { name: key, value: type === 'Exact' ? value : regexOf(value) });
  }
  return [...fields.values()];
}

function timeoutOf({ timeouts }: RouteRule): number {
  const given = [timeouts?.request, timeouts?.backendRequest].flatMap(text => {
    const ms = text === undefined ? 0 : (parseDuration(text) ?? 0);
    return ms > 0 ? [ms] : [];
  });
  return given.length === 0 ? 0 : Math.min(...given);
}

function backendOf(ref: BackendRef, namespace: string, named: Named, unresolved: Verdict[]): Backend {
  const { group = '', kind = 'Service', name, port, weight = 1, filters = [] } = ref;
  const { requestHeaders, responseHeaders, redirect, rewrite } = filtered(filters);
  if (redirect !== undefined || rewrite !== undefined) throw new Unsupported('redirects and rewrites of one backend');
  const changes = {
    ...(requestHeaders === undefined ? {} : { requestHeaders }),
    ...(responseHeaders === undefined ? {} : { responseHeaders }),
  };
  const none = (reason: string, message: string): Backend => {
    unresolved.push(fails('ResolvedRefs', reason, message));
    return { to: undefined, weight, ...changes };
  };
  if (group !== '' || kind !== 'Service')
    return none('InvalidKind', `backends other than Services are not served: ${kind} ${name}`);
  const to = { namespace: ref.namespace ?? namespace, service: name, port: port ?? 0 };
  if (!named.isGranted({ namespace: to.namespace, name }))
    return none('RefNotPermitted', `no ReferenceGrant of namespace ${to.namespace} allows Service ${name}`);
  const problem = named.problemOf(to);
  if (problem !== undefined) return none('BackendNotFound', problem.message);
  return { to, weight, ...changes };
}

/** What a route says. */
export function routeRules(route: HttpRoute, named: Named): RouteRules {
  const { namespace = '', name = '', creationTimestamp: created = '' } = route.metadata;
  const key = `${namespace}/${name}`;
  const rules: Omit<Rule<Route>, 'host'>[] = [];
  const unresolved: Verdict[] = [];
  try {
    for (const rule of route.spec?.rules ?? [{}]) {
      if (rule.retry !== undefined) throw new Unsupported('retries');
      if (rule.sessionPersistence !== undefined) throw new Unsupported('session persistence');
      const target: Route = {
        ...DEFAULT_LIMITS,
        ...filtered(rule.filters),
        owner: `HTTPRoute ${key}`,
        backends: (rule.backendRefs ?? []).map(ref => backendOf(ref, namespace, named, unresolved)),
        withoutBackend: 500,
        maxBody: NO_LIMIT,
        requestTimeoutMs: timeoutOf(rule),
      };
      for (const match of rule.matches ?? [{}])
        rules.push({
          star: 'many',
          path: pathOf(match),
          ...(match.method === undefined ? {} : { method: match.method }),
          headers: fieldsOf(match.headers, header => header.toLowerCase()),
          query: fieldsOf(match.queryParams, parameter => parameter),
          origin: { created, key, index: rules.length },
          route: target,
        });
    }
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    const unsupported = fails('Accepted', 'UnsupportedValue', `not served here: ${error.message}`);
    return { rules: [], unresolved: unresolved[0], unsupported };
  }
  return { rules, unresolved: unresolved[0], unsupported: undefined };
}
