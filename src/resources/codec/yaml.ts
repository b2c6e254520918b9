import { composeJson, YamlConversionError } from './yaml-compose.js';
import { parseYaml } from './yaml-document.js';
import { YamlSyntaxError } from './yaml-reader.js';
import { MAX_DEPTH } from './yaml-tokens.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
import { setMember } from '../../machinery/json-equal.js';
import { isTooDeep } from '../../machinery/json-depth.js';

export interface YamlResult {
  readonly json: string;
  /** Set when the text is no YAML, in go-yaml's words. */
  readonly error?: string;
  /** `line 7: key "a" already set in map`, for every key that is given twice; the last one wins. */
  readonly duplicateKeys: readonly string[];
}

/** What strict decoding says of keys that are given twice. */
export const duplicateKeysProblem = (lines: readonly string[]): string =>
  `yaml: unmarshal errors:\n${lines.map(line => `  ${line}`).join('\n')}`;

/** Text in which JSON and YAML may not mean the same: tabs, control characters, some escapes, keys that end on another line. */
const DELICATE = /[\t\x7f-\x9f\ufeff]|\d{16}|\\\/|\\u[dD][89a-fA-F]|"[^\S\r\n]*[\r\n]\s*:/;

/** JSON with sorted keys, as Go's encoder writes the maps that YAML becomes on its way. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${sortedJson(member)}`).join(',')}}`;
}

/** What parsing the text of sortedJson gives. What is in order is not copied. */
function sortedValue(value: unknown): unknown {
  if (value === 0) return 0;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const list = value as unknown[];
    for (let i = 0; i < list.length; i++) {
      const item = sortedValue(list[i]);
      if (!Object.is(item, list[i])) list[i] = item;
    }
    return list;
  }
  const map = value as Record<string, unknown>;
  const keys = Object.keys(map);
  if (keys.every((key, i) => i === 0 || (keys[i - 1] ?? '') < key)) {
    for (const key of keys) {
      const member = map[key];
      const sorted = sortedValue(member);
      if (!Object.is(sorted, member)) setMember(map, key, sorted);
    }
    return map;
  }
  const out: Record<string, unknown> = {};
  for (const key of keys.sort()) setMember(out, key, sortedValue(map[key]));
  return out;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item);
    return count;
  }
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    count += 1 + (typeof member === 'object' ? countKeys(member) : 0);
  }
  return count;
}

const BLANKS = ' \t\r\n';

/** How often a quotation mark comes before a colon, with nothing or blanks in between. */
function countKeyEnds(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    let before = at - 1;
    while (before >= 0 && BLANKS.includes(text.charAt(before))) before--;
    if (text.charAt(before) === '"') count++;
  }
  return count;
}

/**
 * The value of JSON without duplicate keys, which is how nearly every client sends YAML; undefined for anything
 * else. A text has at least as many ends of keys as keys, so that an equal count leaves no room for a duplicate.
 */
function fromJson(text: string): object | undefined {
  if (!text.startsWith('{') || DELICATE.test(text) || isTooDeep(Buffer.from(text))) return undefined;
  try {
    const value = JSON.parse(text) as object;
    return countKeys(value) === countKeyEnds(text) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What libyaml's reader lets through. */
const CONTROL = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** sigs.k8s.io/yaml's YAMLToJSON: the first document, YAML 1.1 as go-yaml v2 has it, keys as text. */
export const yamlToJson = (text: string): YamlResult => atOnce(yamlSteps(text));

/** As yamlToJson. */
export function* yamlSteps(text: string): Steps<YamlResult> {
  const value = fromJson(text);
  yield;
  return value === undefined ? yield* convert(text) : { json: sortedJson(value), duplicateKeys: [] };
}

/** As yamlToJson, of which the text is not needed: a value, which belongs to the caller; undefined when it is too deep. */
export function yamlToValue(text: string): Omit<YamlResult, 'json'> & { readonly value: unknown } {
  const value = fromJson(text);
  if (value !== undefined) return { value: sortedValue(value), duplicateKeys: [] };
  const { json, ...rest } = atOnce(convert(text));
  if (rest.error !== undefined) return { ...rest, value: null };
  // Aliases nest what is not nested in the text.
  return { ...rest, value: isTooDeep(Buffer.from(json)) ? undefined : (JSON.parse(json) as unknown) };
}

function* convert(text: string): Steps<YamlResult> {
  const failed = (error: string): YamlResult => ({ json: '', error, duplicateKeys: [] });
  if (CONTROL.test(text.startsWith('\ufeff') ? text.slice(1) : text))
    return failed('yaml: control characters are not allowed');
  try {
    const node = parseYaml(text);
    yield;
    return node === undefined ? { json: 'null', duplicateKeys: [] } : composeJson(node);
  } catch (error) {
    if (error instanceof YamlConversionError) return failed(error.message);
    if (error instanceof YamlSyntaxError) return failed(`yaml: ${describe(error)}`);
    // Nested deeper than the stack: upstream has a limit for that.
    if (error instanceof RangeError) return failed(`yaml: exceeded max depth of ${MAX_DEPTH}`);
    throw error;
  }
}

/**
 * The line is where scanning stopped, or the one before a token that is in the wrong place: go-yaml counts so
 * (https://github.com/yaml/go-yaml/blob/v2/decode.go, parser.fail), and has no line for the first one.
 */
function describe({ by, message, mark, context }: YamlSyntaxError): string {
  if (by === 'composer') return message;
  const line = mark.line === 0 ? context.line : mark.line + (by === 'scanner' ? 1 : 0);
  return line === 0 ? message : `line ${line}: ${message}`;
}
