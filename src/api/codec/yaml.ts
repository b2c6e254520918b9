import { composeJson, YamlConversionError } from './yaml-compose.js';
import { parseYaml } from './yaml-document.js';
import { sortedJson, sortedValue } from './yaml-json.js';
import { YamlSyntaxError } from './yaml-reader.js';
import { MAX_DEPTH } from './yaml-tokens.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
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

/** What libyaml's reader lets through. */
const CONTROL = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** sigs.k8s.io/yaml's YAMLToJSON: the first document, YAML 1.1 as go-yaml v2 has it, keys as text. */
export const yamlToJson = (text: string): YamlResult => atOnce(yamlSteps(text));

/** As yamlToJson. */
export function* yamlSteps(text: string): Steps<YamlResult> {
  const json = yield* sortedJson(text);
  yield;
  return json === undefined ? yield* convert(text) : { json, duplicateKeys: [] };
}

/** As yamlToJson, of which the text is not needed: a value, which belongs to the caller; undefined when it is too deep. */
export function* yamlValueSteps(text: string): Steps<Omit<YamlResult, 'json'> & { readonly value: unknown }> {
  const value = yield* sortedValue(text);
  if (value !== undefined) return { value, duplicateKeys: [] };
  const { json, ...rest } = yield* convert(text);
  if (rest.error !== undefined) return { ...rest, value: null };
  yield;
  // Aliases nest what is not nested in the text.
  return { ...rest, value: isTooDeep(Buffer.from(json)) ? undefined : (JSON.parse(json) as unknown) };
}

function* convert(text: string): Steps<YamlResult> {
  const failed = (error: string): YamlResult => ({ json: '', error, duplicateKeys: [] });
  if (CONTROL.test(text.startsWith('\ufeff') ? text.slice(1) : text))
    return failed('yaml: control characters are not allowed');
  try {
    const node = yield* parseYaml(text);
    yield;
    return node === undefined ? { json: 'null', duplicateKeys: [] } : yield* composeJson(node);
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
