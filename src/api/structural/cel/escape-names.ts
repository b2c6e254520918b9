/**
 * Names of fields as expressions write them: what CEL takes for something else is escaped.
 * Source: apiserver pkg/cel/escaping.go.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);
const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};
const UNESCAPED: ReadonlyMap<string, string> = new Map([
  ['underscores', '__'],
  ['dot', '.'],
  ['dash', '-'],
  ['slash', '/'],
]);

export const isReserved = (name: string): boolean => RESERVED.has(name);

/** undefined: no expression can name it. */
export function escapeName(name: string): string | undefined {
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined;
  if (isReserved(name)) return `__${name}__`;
  return name.replace(/__|[-./]/g, part => ESCAPES[part] ?? part);
}

/** undefined: it is no escaped name. */
export function unescapeName(escaped: string): string | undefined {
  let isWrong = false;
  const name = escaped.replace(/__([^_]+)__/g, (part, inner: string) => {
    const known = UNESCAPED.get(inner);
    if (known !== undefined) return known;
    if (!isReserved(inner) || part.length !== escaped.length) isWrong = true;
    return inner;
  });
  return isWrong ? undefined : name;
}
