import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { createOrigin, place } from '../../../src/cmd/source-maps.js';

/** Line 3, column 5 of the bundle is line 7, column 1 of the source: ";;IAMA" is two empty lines, then one place. */
const map = { version: 3, sources: ['../../src/server/serve.ts'], names: [], mappings: ';;IAMA' };

const site = (file: string | undefined, line: number, column: number): NodeJS.CallSite =>
  ({
    getFileName: () => file,
    getLineNumber: () => line,
    getColumnNumber: () => column,
    toString: () => `async serve (${file}:${line}:${column})`,
  }) as unknown as NodeJS.CallSite;

t.test('a stack names the source where the bundle has a map, and the bundle where it has none', async t => {
  const folder = t.testdir({
    build: { dist: { 'a.js': '', 'a.js.map': JSON.stringify(map), 'b.js.map': 'not JSON' } },
  });
  const url = (file: string): string => pathToFileURL(join(folder, 'build/dist', file)).href;
  const origin = createOrigin(folder);
  t.equal(place(site(url('a.js'), 3, 5), origin), 'async serve (src/server/serve.ts:7:1)');
  for (const file of ['b.js', 'c.js'])
    t.equal(place(site(url(file), 3, 5), origin), `async serve (${url(file)}:3:5)`, file);
  t.equal(place(site('node:net', 3, 5), origin), 'async serve (node:net:3:5)');
  t.equal(place(site(undefined, 3, 5), origin), 'async serve (undefined:3:5)');
});
