/** Values that change from run to run, by the name of their placeholder. */
const SHAPES = {
  uid: '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  rv: '\\d+',
  num: '\\d+',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:Z|[+-]\\d\\d:\\d\\d)',
  microtime: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z',
  nanotime: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z',
  ip: '[0-9a-f.:]+',
  port: '\\d{1,5}',
  gen: '[bcdfghjklmnpqrstvwxz2456789]{5}',
  hash: '[bcdfghjklmnpqrstvwxz2456789]{1,10}',
  age: '(?:\\d+[smhdy]){1,2}|<invalid>',
  continue: '[A-Za-z0-9_=-]+',
  jwt: '[\\w-]+\\.[\\w-]+\\.[\\w-]+',
  server: '[^\\s"]+',
  any: '[\\s\\S]*',
} as const;

type Shape = keyof typeof SHAPES;

const PLACEHOLDER = new RegExp(`<(${Object.keys(SHAPES).join('|')})(?::(\\d+))?>`, 'g');
const MOST_SHOWN = 300;

export type Variables = Map<string, unknown>;

/** Compares what was recorded, with its placeholders, with what came. `<uid:2>` is the same value each time within a scenario. */
export interface Matcher {
  /** What differs, one line each; nothing: it is what was recorded. */
  match(expected: unknown, actual: unknown, at: string): string[];
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

const hasPlaceholder = (text: string): boolean => text.search(PLACEHOLDER) >= 0;

/** `${name}` becomes its value; what has none stays. */
const filled = (text: string, variables: Variables): string =>
  text.replace(/\$\{(\w+)\}/g, (whole, name: string) => (variables.has(name) ? String(variables.get(name)) : whole));

export function createMatcher(variables: Variables): Matcher {
  /** "uid:2" → the value that it stood for first. */
  const bound = new Map<string, string>();

  const bind = (shape: Shape, number: string, value: string): string | undefined => {
    const id = `${shape}:${number}`;
    const known = bound.get(id);
    if (known !== undefined) return known === value ? undefined : `<${id}> was ${known} before`;
    for (const [other, otherValue] of bound) {
      const [otherShape, otherNumber] = other.split(':');
      if (otherShape !== shape) continue;
      if (shape === 'uid' && otherValue === value) return `${value} must be new, but was <${other}>`;
      const rises = Math.sign(Number(value) - Number(otherValue)) === Math.sign(Number(number) - Number(otherNumber));
      if (shape === 'rv' && !rises) return `<${id}> is ${value}, while <${other}> was ${otherValue}`;
    }
    bound.set(id, value);
    return undefined;
  };

  /** undefined: they are the same. */
  const matchText = (expected: string, actual: string): string | undefined => {
    const differs = `expected ${show(expected)}, got ${show(actual)}`;
    if (!hasPlaceholder(expected)) return expected === actual ? undefined : firstLine(expected, actual);
    const found = [...expected.matchAll(PLACEHOLDER)];
    let pattern = '';
    let from = 0;
    for (const one of found) {
      pattern += `${literally(expected.slice(from, one.index))}(${SHAPES[one[1] as Shape]})`;
      from = one.index + one[0].length;
    }
    const values = new RegExp(`^${pattern}${literally(expected.slice(from))}$`).exec(actual);
    if (values === null) return differs;
    for (const [i, one] of found.entries()) {
      const why = one[2] === undefined ? undefined : bind(one[1] as Shape, one[2], values[i + 1] ?? '');
      if (why !== undefined) return why;
    }
    return undefined;
  };

  const matchObject = (expected: Record<string, unknown>, actual: Record<string, unknown>, at: string): string[] => {
    const left = new Set(Object.keys(actual));
    const problems: string[] = [];
    const pair = (key: string | undefined, name: string, value: unknown): void => {
      if (key === undefined) return void problems.push(`${at}.${name}: missing, expected ${show(value)}`);
      left.delete(key);
      for (const problem of match(value, actual[key], `${at}.${key}`)) problems.push(problem);
    };
    const entries = Object.entries(expected).map(([name, value]) => [filled(name, variables), value] as const);
    // Keys with placeholders take what the others leave.
    for (const [name, value] of entries)
      if (!hasPlaceholder(name)) pair(left.has(name) ? name : undefined, name, value);
    for (const [name, value] of entries)
      if (hasPlaceholder(name))
        pair(
          [...left].find(key => matchText(name, key) === undefined),
          name,
          value,
        );
    return [...problems, ...[...left].map(key => `${at}.${key}: unexpected ${show(actual[key])}`)];
  };

  const match = (expected: unknown, actual: unknown, at: string): string[] => {
    if (typeof expected === 'string') {
      const whole = /^\$\{#(\w+)\}$/.exec(expected)?.[1];
      if (whole !== undefined) return match(variables.get(whole), actual, at);
      const text = filled(expected, variables);
      const number = typeof actual === 'number' && /^<(port|num)(:\d+)?>$/.test(text);
      if (typeof actual !== 'string' && !number) return [`${at}: expected ${show(text)}, got ${show(actual)}`];
      const why = matchText(text, String(actual));
      return why === undefined ? [] : [`${at}: ${why}`];
    }
    if (Array.isArray(expected)) {
      if (!Array.isArray(actual)) return [`${at}: expected a list, got ${show(actual)}`];
      const length = Math.max(expected.length, actual.length);
      return Array.from({ length }, (_, i) => {
        if (i >= actual.length) return [`${at}[${i}]: missing, expected ${show(expected[i])}`];
        if (i >= expected.length) return [`${at}[${i}]: unexpected ${show(actual[i])}`];
        return match(expected[i], actual[i], `${at}[${i}]`);
      }).flat();
    }
    if (typeof expected === 'object' && expected !== null) {
      if (typeof actual !== 'object' || actual === null || Array.isArray(actual))
        return [`${at}: expected an object, got ${show(actual)}`];
      return matchObject(expected as Record<string, unknown>, actual as Record<string, unknown>, at);
    }
    return expected === actual ? [] : [`${at}: expected ${show(expected)}, got ${show(actual)}`];
  };
  return { match };
}

/** Long texts differ in a line. */
function firstLine(expected: string, actual: string): string {
  const [x, y] = [expected.split('\n'), actual.split('\n')];
  const at = x.findIndex((line, i) => line !== y[i]);
  if (x.length < 2 || at < 0) return `expected ${show(expected)}, got ${show(actual)}`;
  return `line ${at + 1}: expected ${show(x[at])}, got ${show(y[at])}`;
}

/** A value with its variables filled in; `${#name}` is the variable itself. @throws when one has no value */
export function substitute(value: unknown, variables: Variables): unknown {
  const need = (name: string): unknown => {
    if (!variables.has(name)) throw new Error(`${name} has no value: an earlier step did not give it`);
    return variables.get(name);
  };
  if (typeof value === 'string') {
    const whole = /^\$\{#(\w+)\}$/.exec(value)?.[1];
    return whole === undefined ? value.replace(/\$\{(\w+)\}/g, (_, name: string) => String(need(name))) : need(whole);
  }
  if (Array.isArray(value)) return value.map(item => substitute(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [String(substitute(key, variables)), substitute(inner, variables)]),
  );
}
