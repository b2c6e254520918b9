import { NOWHERE, parseCel, type Expr } from './parser.js';
import type { Problem } from './tokens.js';

/**
 * What can be said of an expression without running it: that it parses, that the names in it are there, and its type as
 * far as literals, operators and well-known functions give it. "unknown" is what is not looked into: it fits everywhere.
 */
export interface CelScope {
  /** Types of the variables by name; types that `structs` lists have fields. */
  readonly variables: ReadonlyMap<string, string>;
  readonly structs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface CelResult {
  readonly type: string;
  /** cel-go's text: problems with their places, each with the line it is in. Empty when there are none. */
  readonly text: string;
}

interface Check extends CelScope {
  readonly problems: Problem[];
}

const UNKNOWN = 'unknown';
const PRIMITIVES = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes']);
const NUMBERS = new Set(['int', 'uint', 'double']);
const bothKnown = (a: string, b: string): boolean => PRIMITIVES.has(a) && PRIMITIVES.has(b);

const itemOf = (type: string): string => {
  const list = /^list\((.*)\)$/.exec(type)?.[1];
  if (list !== undefined) return list;
  return type === 'dyn' ? 'dyn' : (/^map\(([a-z]+), .*\)$/.exec(type)?.[1] ?? UNKNOWN);
};
const valueOf = (type: string): string =>
  type === 'dyn' ? 'dyn' : (/^map\([a-z]+, (.*)\)$/.exec(type)?.[1] ?? /^list\((.*)\)$/.exec(type)?.[1] ?? UNKNOWN);

function overload(check: Check, expr: Extract<Expr, { kind: 'call' }>, types: readonly string[]): string {
  const text = `found no matching overload for '${expr.name}' applied to '(${types.join(', ')})'`;
  check.problems.push({ at: expr.at, text });
  return UNKNOWN;
}

const COMPARISONS = new Set(['_<_', '_<=_', '_>_', '_>=_']);
const ARITHMETIC: Readonly<Record<string, ReadonlySet<string>>> = {
  '_+_': new Set(['int', 'uint', 'double', 'string', 'bytes']),
  '_-_': NUMBERS,
  '_*_': NUMBERS,
  '_/_': NUMBERS,
  '_%_': new Set(['int', 'uint']),
};

/** Operators; undefined for anything else. */
function operatorType(check: Check, expr: Extract<Expr, { kind: 'call' }>): string | undefined {
  const { name } = expr;
  if (!/^(_|!_|-_|@in)/.test(name)) return undefined;
  const types = expr.args.map(arg => typeOf(check, arg));
  const [a = UNKNOWN, b = UNKNOWN, c = UNKNOWN] = types;
  switch (name) {
    case '_&&_':
    case '_||_':
      expr.args.forEach((arg, i) => {
        const type = types[i] ?? UNKNOWN;
        if (PRIMITIVES.has(type) && type !== 'bool')
          check.problems.push({ at: arg.at, text: `expected type 'bool' but found '${type}'` });
      });
      return 'bool';
    case '!_':
      return PRIMITIVES.has(a) && a !== 'bool' ? overload(check, expr, types) : 'bool';
    case '-_':
      return PRIMITIVES.has(a) && !NUMBERS.has(a) ? overload(check, expr, types) : a;
    case '_==_':
    case '_!=_':
      return bothKnown(a, b) && a !== b ? overload(check, expr, types) : 'bool';
    case '@in':
      return 'bool';
    case '_[_]':
      return valueOf(a);
    case '_?_:_':
      if (bothKnown(b, c) && b !== c) return overload(check, expr, types);
      return b === c ? b : UNKNOWN;
    default:
  }
  if (COMPARISONS.has(name)) {
    const isMixed = bothKnown(a, b) && a !== b && !(NUMBERS.has(a) && NUMBERS.has(b));
    return isMixed ? overload(check, expr, types) : 'bool';
  }
  const known = ARITHMETIC[name];
  if (known === undefined) return UNKNOWN;
  if (bothKnown(a, b)) return a === b && known.has(a) ? a : overload(check, expr, types);
  if (a === 'dyn' || b === 'dyn') return PRIMITIVES.has(a) ? a : PRIMITIVES.has(b) ? b : a === b ? 'dyn' : UNKNOWN;
  return UNKNOWN;
}

/** Of functions and methods with one result type; '' stands for those that are known and not looked into. */
const RESULTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'startsWith endsWith contains matches isSorted isQuantity isURL isIP isCIDR isSemver isCanonical containsIP containsCIDR isLessThan isGreaterThan isInteger hasValue allowed bool isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast all_in sets intersects equivalent errored'
      .split(' ')
      .map(name => [name, 'bool']),
  ),
  ...Object.fromEntries(
    'size int indexOf lastIndexOf compareTo asInteger sign family prefixLength major minor patch getFullYear getMonth getDayOfYear getDayOfMonth getDate getDayOfWeek getHours getMinutes getSeconds getMilliseconds'
      .split(' ')
      .map(name => [name, 'int']),
  ),
  ...Object.fromEntries(
    'string replace substring trim upperAscii lowerAscii lowerAscii charAt format join reverse reason error getScheme getHost getHostname getPort getEscapedPath'
      .split(' ')
      .map(name => [name, 'string']),
  ),
  ...Object.fromEntries(
    'sum min max masked ip cidr quantity url semver path group resource serviceAccount subresource namespace name fieldSelector labelSelector check add sub orValue or value of none ofNonZeroValue optMap optFlatMap get validate dns1123Label dns1123Subdomain dns1035Label qualifiedName dns1123LabelPrefix dns1123SubdomainPrefix dns1035LabelPrefix labelValue uri uuid byte date datetime named getQuery first last flatten distinct sort slice range'
      .split(' ')
      .map(name => [name, '']),
  ),
  uint: 'uint',
  double: 'double',
  asApproximateFloat: 'double',
  bytes: 'bytes',
  dyn: 'dyn',
  split: 'list(string)',
  find: 'string',
  findAll: 'list(string)',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  type: '',
};

/** First parts of functions' names, which are no variables. */
const NAMESPACES = new Set(['optional', 'sets', 'ip', 'format']);

/** has(), all(), exists(), exists_one(), map(), filter(); undefined for anything else. */
function macroType(check: Check, expr: Extract<Expr, { kind: 'call' }>): string | undefined {
  const { target, name, args } = expr;
  const [first, second, third] = args;
  if (target === undefined) {
    if (name !== 'has' || args.length !== 1 || first === undefined) return undefined;
    if (first.kind !== 'select') check.problems.push({ at: first.at, text: 'invalid argument to has() macro' });
    else typeOf(check, first.of);
    return 'bool';
  }
  const isPredicate = name === 'all' || name === 'exists' || name === 'exists_one' || name === 'filter';
  if (!(isPredicate && args.length === 2) && !(name === 'map' && (args.length === 2 || args.length === 3)))
    return undefined;
  if (first?.kind !== 'ident' || second === undefined) {
    check.problems.push({ at: first?.at ?? expr.at, text: 'argument must be a simple name' });
    return UNKNOWN;
  }
  const over = typeOf(check, target);
  const inner = { ...check, variables: new Map(check.variables).set(first.name, itemOf(over)) };
  const type = typeOf(inner, second);
  if (name === 'filter') return over.startsWith('list(') ? over : `list(${itemOf(over)})`;
  if (name !== 'map') return 'bool';
  return `list(${third === undefined ? type : typeOf(inner, third)})`;
}

function callType(check: Check, expr: Extract<Expr, { kind: 'call' }>): string {
  const special = operatorType(check, expr) ?? macroType(check, expr);
  if (special !== undefined) return special;
  const { target, name, args } = expr;
  const isQualified = target?.kind === 'ident' && NAMESPACES.has(target.name) && !check.variables.has(target.name);
  if (target !== undefined && !isQualified) typeOf(check, target);
  for (const arg of args) typeOf(check, arg);
  const result = Object.hasOwn(RESULTS, name) ? RESULTS[name] : undefined;
  if (result === undefined)
    check.problems.push({ at: expr.at, text: `undeclared reference to '${name}' (in container '')` });
  return result || UNKNOWN;
}

function selectType(check: Check, expr: Extract<Expr, { kind: 'select' }>): string {
  const of = typeOf(check, expr.of);
  const fields = Object.hasOwn(check.structs, of) ? check.structs[of] : undefined;
  if (fields === undefined) return valueOf(of);
  const type = Object.hasOwn(fields, expr.field) ? fields[expr.field] : undefined;
  if (type === undefined) check.problems.push({ at: expr.at, text: `undefined field '${expr.field}'` });
  return type ?? UNKNOWN;
}

/** One type for all, or "dyn". */
function common(types: readonly string[]): string {
  const [first = 'dyn'] = types;
  if (types.includes(UNKNOWN)) return UNKNOWN;
  return types.every(type => type === first) ? first : 'dyn';
}

function typeOf(check: Check, expr: Expr): string {
  switch (expr.kind) {
    case 'literal':
      return expr.type;
    case 'ident': {
      const type = check.variables.get(expr.name);
      if (type !== undefined) return type;
      check.problems.push({ at: expr.at, text: `undeclared reference to '${expr.name}' (in container '')` });
      return UNKNOWN;
    }
    case 'select':
      return selectType(check, expr);
    case 'call':
      return callType(check, expr);
    case 'list': {
      const item = common(expr.items.map(entry => typeOf(check, entry)));
      return `list(${item})`;
    }
    case 'map': {
      const keys = common(expr.entries.map(([key]) => typeOf(check, key)));
      return `map(${keys}, ${common(expr.entries.map(([, value]) => typeOf(check, value)))})`;
    }
    case 'message':
      return UNKNOWN;
  }
}

function describe(source: string, { at, text }: Problem): string {
  if (at === NOWHERE) return `ERROR: <input>:-1:0: ${text}`;
  const before = source.slice(0, at).split('\n');
  const column = before[before.length - 1]?.length ?? 0;
  const line = source.split('\n')[before.length - 1] ?? '';
  const place = source === '' ? '1:0' : `${before.length}:${column + 1}`;
  const head = `ERROR: <input>:${place}: ${text}`;
  if (source === '') return head;
  // Wide characters are underlined by wide dots.
  const dots = line
    .slice(0, column)
    .replace(/[\x20-\x7e\t]/g, '.')
    .replace(/[^.]/g, '．');
  const mark = (line[column] ?? '') > '\x7f' ? '＾' : '^';
  return `${head}\n | ${line.replaceAll('\t', ' ')}\n | ${dots}${mark}`;
}

/** Each is shown with its line, which may be all of the source. cel-go stops at as many errors of syntax. */
const MAX_PROBLEMS = 100;

/** Parses and checks an expression. Pure. */
export function compileCel(source: string, scope: CelScope): CelResult {
  const { expr, problems } = parseCel(source);
  const check: Check = { ...scope, problems: [...problems] };
  const type = expr === undefined ? UNKNOWN : typeOf(check, expr);
  const sorted = [...check.problems].sort((a, b) => a.at - b.at);
  return {
    type,
    text: sorted
      .slice(0, MAX_PROBLEMS)
      .map(problem => describe(source, problem))
      .join('\n'),
  };
}
