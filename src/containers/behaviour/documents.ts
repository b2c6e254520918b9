import type { Document, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import { BehaviourFileError } from './errors.js';

export type FieldPath = readonly (string | number)[];
export type Fields = Readonly<Record<string, unknown>>;

/** One document of a file. */
export interface BehaviourDocument {
  readonly value: unknown;
  /** Ends with what is wrong with a field, or with the key of that name. @throws BehaviourFileError always */
  readonly refuse: (path: FieldPath, problem: string) => never;
}

/** Documents of a text of YAML or JSON; empty ones are left out. `name`: of the file. @throws BehaviourFileError */
export async function readDocuments(text: string, name: string): Promise<BehaviourDocument[]> {
  // Of a CommonJS module in a bundle there is only the default.
  const yaml = (await import('yaml')).default;
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap(document => {
    const [error] = document.errors;
    if (error !== undefined)
      throw new BehaviourFileError(
        `${name}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0] ?? ''}`,
      );
    const value = document.toJS() as unknown;
    if (value === null || value === undefined) return [];
    return [
      {
        value,
        refuse(path: FieldPath, problem: string): never {
          const field = formatPath(path);
          const line = lineOf(document, lines, path, yaml.isMap);
          throw new BehaviourFileError(`${name}:${line}: ${field === '' ? '' : `${field}: `}${problem}`);
        },
      },
    ];
  });
}

/** "rules[0].match.image" */
const formatPath = (path: FieldPath): string =>
  path.reduce<string>(
    (all, step) => (typeof step === 'number' ? `${all}[${step}]` : all === '' ? step : `${all}.${step}`),
    '',
  );

/** Where the field stands, or else what it would stand in. */
function lineOf(
  document: Document,
  lines: LineCounter,
  path: FieldPath,
  isMap: (node: unknown) => node is YAMLMap,
): number {
  for (let length = path.length; length >= 0; length--) {
    const parent = length < 2 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMap(parent) ? parent.items.find((item: Pair) => String(item.key) === key) : undefined;
    const node = (pair?.key ?? (length === 0 ? document.contents : document.getIn(path.slice(0, length), true))) as
      | Node
      | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws BehaviourFileError where it is no map, or has other keys */
export function fieldsAt(
  document: BehaviourDocument,
  value: unknown,
  path: FieldPath,
  known: readonly string[],
): Fields {
  if (!isFields(value)) return document.refuse(path, `want a map of ${known.join(', ')}`);
  const other = Object.keys(value).find(key => !known.includes(key));
  if (other !== undefined) document.refuse([...path, other], `there is no such field, only ${known.join(', ')}`);
  return value;
}

/** @throws BehaviourFileError where it is no text */
export const textAt = (document: BehaviourDocument, value: unknown, path: FieldPath): string =>
  typeof value === 'string' ? value : document.refuse(path, `want a text, not ${JSON.stringify(value)}`);
