import { parseAllDocuments, type Document, type Tags } from 'yaml';
import { forbiddenCharacters, goYamlError } from './yaml-error.js';

export interface YamlResult {
  readonly json: string;
  /** Set when the text is no YAML, in go-yaml's words as far as they are known. */
  readonly error?: string;
  /** `line 7: key "a" already set in map`, for every key that is given twice; the last one wins. */
  readonly duplicateKeys: readonly string[];
}

/** What strict decoding says of keys that are given twice. */
export const duplicateKeysProblem = (lines: readonly string[]): string =>
  `yaml: unmarshal errors:\n${lines.map(line => `  ${line}`).join('\n')}`;

/** go-yaml keeps timestamps as text when it decodes to JSON, and has no base-60 numbers. */
const UNUSED_TAGS: ReadonlySet<string> = new Set(['tag:yaml.org,2002:timestamp']);

const customTags = (tags: Tags): Tags =>
  tags.filter(tag => typeof tag === 'string' || (!UNUSED_TAGS.has(tag.tag) && tag.format !== 'TIME'));

const OPTIONS = { version: '1.1', customTags, merge: true, strict: false } as const;

/** Text in which JSON and YAML may not mean the same: tabs, control characters, numbers that lose digits. */
const DELICATE = /[\t\x7f-\x9f\ufeff]|\d{16}/;
const KEYS = /"\s*:/g;

/** JSON with sorted keys, as Go's encoder writes the maps that YAML becomes on its way; integers keep all their digits. */
function sortedJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${sortedJson(member)}`).join(',')}}`;
}

function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countKeys(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + countKeys(item), 0);
}

/**
 * The canonical form of JSON without duplicate keys, which is how nearly every client sends YAML; undefined for anything
 * else. A text has at least as many ends of keys as keys, so that an equal count leaves no room for a duplicate.
 */
function fromJson(text: string): string | undefined {
  if (!text.startsWith('{') || DELICATE.test(text)) return undefined;
  try {
    const value = JSON.parse(text) as unknown;
    return countKeys(value) === (text.match(KEYS)?.length ?? 0) ? sortedJson(value) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * sigs.k8s.io/yaml's YAMLToJSON: the first document, YAML 1.1, keys as text.
 * Duplicate keys are strict problems; the last one wins.
 */
export function yamlToJson(text: string): YamlResult {
  const json = fromJson(text);
  if (json !== undefined) return { json, duplicateKeys: [] };
  const forbidden = forbiddenCharacters(text);
  if (forbidden !== undefined) return { json: '', error: forbidden, duplicateKeys: [] };
  const parsed = parseAllDocuments(text, { ...OPTIONS, uniqueKeys: false, intAsBigInt: true });
  const document = Array.isArray(parsed) ? parsed[0] : undefined;
  if (document === undefined) return { json: 'null', duplicateKeys: [] };
  const failure = document.errors[0];
  if (failure !== undefined) return { json: '', error: goYamlError(failure, text), duplicateKeys: [] };
  const value = valueOf(document);
  if (value instanceof Error) return { json: '', error: value.message, duplicateKeys: [] };
  return {
    json: sortedJson(value),
    duplicateKeys: findDuplicateKeys(text),
  };
}

/** The document as a plain value, or what go-yaml says about an alias without its anchor. */
function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    const alias = error instanceof ReferenceError ? /^Unresolved alias .*: (.*)$/.exec(error.message) : null;
    if (alias === null) throw error;
    return new Error(`yaml: unknown anchor '${alias[1] ?? ''}' referenced`);
  }
}

/** The keys that the parser calls duplicate, as go-yaml names them. */
function findDuplicateKeys(text: string): string[] {
  const parsed = parseAllDocuments(text, { ...OPTIONS, uniqueKeys: true });
  const errors = Array.isArray(parsed) ? (parsed[0]?.errors ?? []) : [];
  return errors
    .filter(error => error.code === 'DUPLICATE_KEY')
    .map(error => {
      const line = error.linePos?.[0].line ?? 1;
      const key = /^\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^:]*?))\s*:/.exec(text.slice(error.pos[0]));
      return `line ${line}: key ${JSON.stringify(key?.[1] ?? key?.[2] ?? key?.[3] ?? '')} already set in map`;
    });
}
