import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the line was before it was bundled; undefined: the file has no map. */
type Origin = (file: string, line: number, column: number) => string | undefined;

/**
 * Stacks name files of src/ instead of pieces of the bundle. Node's own --enable-source-maps reads every map at the
 * start, 30 ms for the smallest command; here they are read when somebody looks at a stack, which nobody does while all is well.
 */
export function nameSourcesInStacks(): void {
  // The bundle lies in build/dist.
  const origin = createOrigin(fileURLToPath(new URL('../..', import.meta.url)));
  Error.prepareStackTrace = (error, sites) =>
    [String(error), ...sites.map(site => `    at ${place(site, origin)}`)].join('\n');
}

/** As V8 prints it, but for the place. */
export function place(site: NodeJS.CallSite, origin: Origin): string {
  const text = (site as { toString(): string }).toString();
  const file = site.getFileName();
  const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
  if (typeof file !== 'string' || !file.startsWith('file:') || line === null || column === null) return text;
  const found = origin(file, line, column);
  return found === undefined ? text : text.replace(`${file}:${line}:${column}`, found);
}

/** Sources are named relative to `root`, the folder of package.json. */
export function createOrigin(root: string): Origin {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (file: string): SourceMap | undefined => {
    if (!maps.has(file)) maps.set(file, readMap(file));
    return maps.get(file);
  };
  return (url, line, column) => {
    const file = fileURLToPath(url);
    const entry = mapOf(file)?.findEntry(line - 1, column - 1);
    if (entry === undefined || !('originalSource' in entry)) return undefined;
    const source = relative(root, join(dirname(file), entry.originalSource));
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  };
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload);
  } catch {
    // A stack is printed when something is wrong already: without a map it is printed as it is.
    return undefined;
  }
}
