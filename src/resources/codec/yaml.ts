import { parseAllDocuments, type Tags, type YAMLError } from 'yaml';

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

/** Text in which JSON and YAML may not mean the same: tabs, control characters, numbers that lose digits. */
const DELICATE = /[\t\x7f-\x9f\ufeff]|\d{16}/;
const KEYS = /"\s*:/g;

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
    return countKeys(value) === (text.match(KEYS)?.length ?? 0) ? JSON.stringify(value) : undefined;
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
  const parsed = parseAllDocuments(text, { version: '1.1', customTags, uniqueKeys: false, merge: true, strict: false });
  const document = Array.isArray(parsed) ? parsed[0] : undefined;
  if (document === undefined) return { json: 'null', duplicateKeys: [] };
  const failure = document.errors[0];
  if (failure !== undefined) return { json: '', error: goYamlError(failure), duplicateKeys: [] };
  return {
    json: JSON.stringify(document.toJS({ maxAliasCount: 1000 }) ?? null),
    duplicateKeys: findDuplicateKeys(text),
  };
}

/** The keys that the parser calls duplicate, as go-yaml names them. */
function findDuplicateKeys(text: string): string[] {
  const parsed = parseAllDocuments(text, { version: '1.1', customTags, uniqueKeys: true, merge: true, strict: false });
  const errors = Array.isArray(parsed) ? (parsed[0]?.errors ?? []) : [];
  return errors
    .filter(error => error.code === 'DUPLICATE_KEY')
    .map(error => {
      const line = error.linePos?.[0].line ?? 1;
      const key = /^\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^:]*?))\s*:/.exec(text.slice(error.pos[0]));
      return `line ${line}: key ${JSON.stringify(key?.[1] ?? key?.[2] ?? key?.[3] ?? '')} already set in map`;
    });
}

/** go-yaml's scanner and parser errors for the parser's codes; the rest say what they say. */
function goYamlError(error: YAMLError): string {
  const line = error.linePos?.[0].line ?? 1;
  const texts: Partial<Record<YAMLError['code'], string>> = {
    TAB_AS_INDENT: 'found character that cannot start any token',
    UNEXPECTED_TOKEN: 'did not find expected node content',
    BAD_INDENT: 'did not find expected key',
    MULTILINE_IMPLICIT_KEY: 'mapping values are not allowed in this context',
    BLOCK_AS_IMPLICIT_KEY: 'mapping values are not allowed in this context',
    MISSING_CHAR: "could not find expected ':'",
    BAD_DQ_ESCAPE: 'found unknown escape character',
  };
  return `yaml: line ${line}: ${texts[error.code] ?? error.message.split('\n')[0] ?? ''}`;
}
