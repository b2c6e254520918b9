import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DocumentError } from './errors.js';
import type { ApiObject } from './types.js';

const EXTENSIONS: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);

/**
 * Objects of a file, of all files of a folder (*.yaml, *.yml, *.json, by name, with its folders), of a text of YAML
 * documents, or as they are. A List is what is in it. @throws DocumentError
 */
export async function readObjects(source: string | ApiObject | readonly (string | ApiObject)[]): Promise<ApiObject[]> {
  if (typeof source === 'string') {
    // A document has a member or several lines, which no file's name has.
    return /\n|^\s*\{|:\s/.test(source) ? parseDocuments(source, 'the text') : readPath(source);
  }
  if (isList(source)) return (await Promise.all(source.map(readObjects))).flat();
  return itemsOf(source, 'the object');
}

const isList = (source: unknown): source is readonly (string | ApiObject)[] => Array.isArray(source);

async function readPath(path: string): Promise<ApiObject[]> {
  try {
    if (!(await stat(path)).isDirectory()) return await parseDocuments(await readFile(path, 'utf8'), path);
    const files: string[] = (await readdir(path, { recursive: true })).filter(file => EXTENSIONS.has(extname(file)));
    const all = await Promise.all(files.sort().map(file => readPath(join(path, file))));
    return all.flat();
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    throw new DocumentError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function parseDocuments(text: string, name: string): Promise<ApiObject[]> {
  // Of a CommonJS module in a bundle there is only the default.
  const { parseAllDocuments } = (await import('yaml')).default;
  const documents = parseAllDocuments(text);
  // Of an empty text it is no list.
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document, i) => {
    const [problem] = document.errors;
    if (problem !== undefined)
      throw new DocumentError(`${name}, document ${i + 1}: ${problem.message.split('\n')[0] ?? ''}`);
    const value = document.toJS() as unknown;
    return value === null || value === undefined ? [] : itemsOf(value, `${name}, document ${i + 1}`);
  });
}

function itemsOf(value: unknown, name: string): ApiObject[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DocumentError(`${name} is no API object`);
  const object = value as ApiObject;
  if (typeof object.apiVersion !== 'string' || typeof object.kind !== 'string')
    throw new DocumentError(`${name} has no apiVersion or no kind`);
  const { items } = object;
  if (!object.kind.endsWith('List') || !Array.isArray(items)) return [object];
  return items.flatMap((item, i) => itemsOf(item, `${name}, item ${i + 1}`));
}
