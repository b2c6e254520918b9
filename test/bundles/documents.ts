import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  /** Path in the module, and which document of the file it is. */
  readonly from: string;
  readonly object: Record<string, unknown>;
}

/** Whether tools fill something in before a server sees it. */
export const isTemplate = (text: string): boolean => TEMPLATE.test(text);
const TEMPLATE = /\{\{|\$\{|<%/;
const MAX_BYTES = 2_000_000;

function* files(path: string): Generator<string> {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    if (/\.ya?ml$/.test(path)) yield path;
    return;
  }
  for (const entry of readdirSync(path).sort()) yield* files(join(path, entry));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every object of the YAML files below some folders, without those that are no YAML. */
export function* manifests(
  root: string,
  folders: readonly string[],
  isWanted: (text: string) => boolean = () => true,
): Generator<Manifest> {
  for (const folder of folders)
    for (const file of files(join(root, folder))) {
      const text = readFileSync(file, 'utf8');
      if (text.length > MAX_BYTES || !isWanted(text)) continue;
      for (const [i, document] of parseAllDocuments(text, { uniqueKeys: false }).entries()) {
        if (document.errors.length > 0) continue;
        const object: unknown = document.toJS({ maxAliasCount: 100 });
        if (isObject(object)) yield { from: `${relative(root, file)}#${i}`, object };
      }
    }
}
