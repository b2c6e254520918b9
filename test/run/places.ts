import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createOrigin } from '../../src/cmd/source-maps.js';

/** As a stack has it: `(build/joined/x.js:1:2)`, `file:///…/build/joined/x.js:1:2`. */
const STACK = /[^\s()]*build\/joined\/([\w.-]+\.js):(\d+):(\d+)/g;
/** As a failure's diagnostics have it. */
const DIAGNOSTICS = /^( *)fileName: \S*build\/joined\/([\w.-]+\.js)\n *lineNumber: (\d+)\n *columnNumber: (\d+)$/gm;

/** Places of joined files in a test's output become those of the sources. `joined` is the folder, `root` the repository's. */
export function nameSources(output: string, joined: string, root: string): string {
  const origin = createOrigin(root);
  const of = (file: string, line: string, column: string): string | undefined =>
    origin(pathToFileURL(join(joined, file)).href, Number(line), Number(column));
  return output
    .replace(STACK, (found, file: string, line: string, column: string) => of(file, line, column) ?? found)
    .replace(DIAGNOSTICS, (found, indent: string, file: string, line: string, column: string) => {
      const [source, ...place] = of(file, line, column)?.split(':') ?? [];
      if (source === undefined) return found;
      const [sourceLine = '', sourceColumn = ''] = place;
      return [`fileName: ${source}`, `lineNumber: ${sourceLine}`, `columnNumber: ${sourceColumn}`]
        .map(text => indent + text)
        .join('\n');
    });
}
