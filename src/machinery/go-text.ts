/** Go's text forms of values, for messages that upstream prints with %q, %v and %#v. */

/** len(s) of a Go string: UTF-8 bytes. */
export const goLength = (text: string): number => {
  // Outside of JavaScript, where a long text is counted much faster and a short one slower.
  if (text.length > 256) return Buffer.byteLength(text);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  }
  return text.length;
};

/** Characters that both Go and CEL write by a letter between double quotes. */
export const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export const isPrint = (char: string): boolean => char === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);

const isPlain = (text: string): boolean =>
  /^[ !#-[\]-~]*$/.test(text) || !/["\\]|[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(text);

function escapeChar(char: string): string {
  const named = NAMED_ESCAPES[char];
  if (named !== undefined) return named;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** What is neither printed nor escaped by JSON as Go escapes it. */
const STRANGE = /[^ \p{L}\p{M}\p{N}\p{P}\p{S}\b\f\n\r\t]/u;
/** Runs of what JSON escapes alike; a character that is not printed, as often as it follows itself; halves of pairs. */
const ESCAPED = /["\\\b\f\n\r\t\p{Cs}]+|([^ \p{L}\p{M}\p{N}\p{P}\p{S}])\1*/gu;

/**
 * strconv.Quote, as %q prints a string. JSON.stringify writes whatever it can: a loop over 100,000 characters of a
 * client, or a call for each of them, holds everybody up until it is compiled.
 */
export function quote(text: string): string {
  if (isPlain(text)) return `"${text}"`;
  if (!STRANGE.test(text)) return JSON.stringify(text);
  return `"${text.replace(ESCAPED, (run: string, char: string | undefined) =>
    char === undefined ? JSON.stringify(run).slice(1, -1) : escapeChar(char).repeat(run.length / char.length),
  )}"`;
}

/** encoding/json writes characters that mean something in HTML as escapes. */
export const escapeHtmlInJson = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A decoded number as %v prints it: an int64 in full, a float64 in the shortest form, with an exponent below 1e-04 and from 1e+06 on. */
function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return BigInt(value).toString();
  return formatGoFloat(value);
}

/** A float64 as %v prints it, whole or not. */
export function formatGoFloat(value: number): string {
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** encoding/json's text of a decoded JSON value: maps in order. */
export const goJson = (value: unknown): string =>
  escapeHtmlInJson(
    JSON.stringify(value ?? null, (_key, member: unknown) =>
      typeof member === 'object' && member !== null && !Array.isArray(member)
        ? Object.fromEntries(sortedKeys(member).map(key => [key, (member as Record<string, unknown>)[key]]))
        : member,
    ),
  );

const sortedKeys = (value: object): string[] => Object.keys(value).sort();

/** %v of a decoded JSON value: map[a:1 b:[x y]], keys sorted, strings bare. */
export function formatGo(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatNumber(value);
  if (Array.isArray(value)) return `[${value.map(formatGo).join(' ')}]`;
  if (typeof value === 'object') {
    const object = value as Record<string, unknown>;
    return `map[${sortedKeys(object)
      .map(key => `${key}:${formatGo(object[key])}`)
      .join(' ')}]`;
  }
  return value === true ? 'true' : 'false';
}

/** %s of a decoded JSON value: what is no string is named with its type. */
export function formatGoString(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '%!s(<nil>)';
  if (Array.isArray(value)) return `[${value.map(formatGoString).join(' ')}]`;
  if (typeof value === 'object') {
    const object = value as Record<string, unknown>;
    return `map[${sortedKeys(object)
      .map(key => `${key}:${formatGoString(object[key])}`)
      .join(' ')}]`;
  }
  return `%!s(${goTypeName(value)}=${formatGo(value)})`;
}

/** %#v of a decoded JSON value: map[string]interface {}{"a":1}. */
export function formatGoSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return formatNumber(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(formatGoSyntax).join(', ')}}`;
  if (typeof value === 'object') {
    const object = value as Record<string, unknown>;
    return `map[string]interface {}{${sortedKeys(object)
      .map(key => `${quote(key)}:${formatGoSyntax(object[key])}`)
      .join(', ')}}`;
  }
  return value === true ? 'true' : 'false';
}

/** %T of a decoded JSON value. */
export function goTypeName(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return Number.isSafeInteger(value) ? 'int64' : 'float64';
    case 'boolean':
      return 'bool';
    default:
      return 'map[string]interface {}';
  }
}

/** %#v of a []string: []string{"a", "b"}. */
export const formatGoStrings = (list: readonly string[]): string => `[]string{${list.map(quote).join(', ')}}`;
