import type { GoRegex } from '../../machinery/regex/go-regex.js';
import { compareText } from '../../machinery/compare-text.js';
import { parentsOf } from './host-name.js';
import { elementsOf, type RequestPath } from './request-path.js';

export type PathMatch =
  | { readonly kind: 'exact' | 'prefix'; readonly path: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly regex: GoRegex };

/** A header or a parameter of the query that a request must have. */
export interface FieldMatch {
  /** Of a header: lower case. */
  readonly name: string;
  readonly value: string | GoRegex;
}

/** Where a rule comes from: of two that are alike otherwise the older one holds. */
export interface Origin {
  /** RFC 3339. */
  readonly created: string;
  /** "namespace/name" */
  readonly key: string;
  /** Its place in the object. */
  readonly index: number;
}

/** What a rule takes, and what becomes of it. */
export interface Rule<R> {
  /** "a.example.com", "*.example.com", or "" for every host. */
  readonly host: string;
  /** Whether the star stands for one label, as an Ingress has it, or for several, as a Gateway has it. */
  readonly star: 'one' | 'many';
  readonly path: PathMatch;
  readonly method?: string;
  readonly headers: readonly FieldMatch[];
  readonly query: readonly FieldMatch[];
  readonly origin: Origin;
  readonly route: R;
}

/** What rules ask of a request. */
export interface Asked {
  readonly host: string;
  readonly path: RequestPath;
  readonly method: string;
  readonly header: (name: string) => string | undefined;
  readonly parameter: (name: string) => string | undefined;
}

export interface Found<R> {
  readonly route: R;
  /** How many elements of the path the rule has taken; undefined: no prefix. */
  readonly prefix: number | undefined;
}

export interface RouteTable<R> {
  find(asked: Asked): Found<R> | undefined;
}

interface Place<R> {
  readonly below: Map<string, Place<R>>;
  readonly rules: Rule<R>[];
}

/** The rules of one host. */
interface HostRules<R> {
  readonly exact: Map<string, Rule<R>[]>;
  readonly regex: Rule<R>[];
  readonly prefixes: Place<R>;
}

const newPlace = <R>(): Place<R> => ({ below: new Map(), rules: [] });

/** Gateway API's order of rules whose paths are alike: a method, more headers, more parameters, the older, the first by name. */
function compareRules<R>(a: Rule<R>, b: Rule<R>): number {
  return (
    Number(b.method !== undefined) - Number(a.method !== undefined) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length ||
    compareText(a.origin.created, b.origin.created) ||
    compareText(a.origin.key, b.origin.key) ||
    a.origin.index - b.origin.index
  );
}

const patternLength = <R>({ path }: Rule<R>): number => (path.kind === 'regex' ? path.pattern.length : 0);

function rulesOfHost<R>(rules: readonly Rule<R>[]): HostRules<R> {
  const host: HostRules<R> = { exact: new Map(), regex: [], prefixes: newPlace() };
  for (const rule of [...rules].sort(compareRules))
    if (rule.path.kind === 'exact') {
      const there = host.exact.get(rule.path.path);
      if (there === undefined) host.exact.set(rule.path.path, [rule]);
      else there.push(rule);
    } else if (rule.path.kind === 'regex') host.regex.push(rule);
    else {
      let place = host.prefixes;
      for (const element of elementsOf(rule.path.path)) {
        const next = place.below.get(element) ?? newPlace<R>();
        place.below.set(element, next);
        place = next;
      }
      place.rules.push(rule);
    }
  // As locations of nginx: of several the longest one.
  host.regex.sort((a, b) => patternLength(b) - patternLength(a));
  return host;
}

const fits = (given: string | undefined, { value }: FieldMatch): boolean =>
  given !== undefined && (typeof value === 'string' ? given === value : value.test(given));

const takes = <R>(rule: Rule<R>, asked: Asked): boolean =>
  (rule.method === undefined || rule.method === asked.method) &&
  rule.headers.every(match => fits(asked.header(match.name), match)) &&
  rule.query.every(match => fits(asked.parameter(match.name), match));

function findIn<R>(host: HostRules<R>, asked: Asked): Found<R> | undefined {
  const { text, elements } = asked.path;
  const exact = host.exact.get(text)?.find(rule => takes(rule, asked));
  if (exact !== undefined) return { route: exact.route, prefix: undefined };
  const regex = host.regex.find(rule => rule.path.kind === 'regex' && rule.path.regex.test(text) && takes(rule, asked));
  if (regex !== undefined) return { route: regex.route, prefix: undefined };
  const way = [host.prefixes];
  for (const element of elements) {
    const next = way.at(-1)?.below.get(element);
    if (next === undefined) break;
    way.push(next);
  }
  for (let depth = way.length - 1; depth >= 0; depth--) {
    const rule = way[depth]?.rules.find(candidate => takes(candidate, asked));
    if (rule !== undefined) return { route: rule.route, prefix: depth };
  }
  return undefined;
}

/**
 * Made once for each change of the rules; a request costs the labels of its host, the elements of its path, and the rules that have the same
 * path. The most specific host decides alone, as a server of nginx does: what none of its rules takes, no other host's rule does.
 */
export function compileRoutes<R>(rules: Iterable<Rule<R>>): RouteTable<R> {
  const exact = new Map<string, Rule<R>[]>();
  /** By what follows the star. */
  const one = new Map<string, Rule<R>[]>();
  const many = new Map<string, Rule<R>[]>();
  for (const rule of rules) {
    const isStar = rule.host.startsWith('*.');
    const hosts = isStar ? (rule.star === 'one' ? one : many) : exact;
    const name = isStar ? rule.host.slice(2) : rule.host;
    const there = hosts.get(name);
    if (there === undefined) hosts.set(name, [rule]);
    else there.push(rule);
  }
  // A star for many labels is one for one, too.
  for (const [name, of] of one) of.push(...(many.get(name) ?? []));
  const compiled = (hosts: ReadonlyMap<string, Rule<R>[]>): ReadonlyMap<string, HostRules<R>> =>
    new Map([...hosts].map(([name, of]) => [name, rulesOfHost(of)]));
  const [byName, byParent, byAncestor] = [compiled(exact), compiled(one), compiled(many)];

  const hostOf = (name: string): HostRules<R> | undefined => {
    const own = byName.get(name);
    if (own !== undefined) return own;
    let isParent = true;
    for (const parent of parentsOf(name)) {
      const found = (isParent ? byParent.get(parent) : undefined) ?? byAncestor.get(parent);
      if (found !== undefined) return found;
      isParent = false;
    }
    return byName.get('');
  };
  return {
    find(asked) {
      const host = hostOf(asked.host);
      return host && findIn(host, asked);
    },
  };
}
