import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { STEPS } from '../../src/server/pipeline/steps.js';
import { ROOT } from '../support/root.js';

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const names = STEPS.map(step => step.name);

t.test('docs/lifecycle.md has the steps of the pipeline, in their order', async t => {
  const rows = read('docs/lifecycle.md')
    .split('\n')
    .filter(line => line.startsWith('| '))
    .map(line => line.split('|')[1]?.trim());
  t.same(rows.slice(1), names);
});

t.test('the diagram of ARCHITECTURE.md has them, too', async t => {
  const diagram = /```mermaid\n([\s\S]*?)```/.exec(read('ARCHITECTURE.md'))?.[1] ?? '';
  const nodes = [...diagram.matchAll(/\w+\[([^\]]*)\]/g)].map(match => match[1] ?? '');
  t.same(
    nodes.filter(node => names.includes(node)),
    names,
    nodes.join(', '),
  );
});

t.test('every section of docs/kube-proxy.md that a comment cites is there', async t => {
  const sections = new Set(
    [...read('docs/kube-proxy.md').matchAll(/^#+ (\d+(?:\.\d+)?)[. ]/gm)].map(match => match[1]),
  );
  const files = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[]).filter(file => file.endsWith('.ts'));
  const cited = files.flatMap(file =>
    // A comment may go on in the next line.
    [
      ...read('src', file)
        .replaceAll(/\n\s*(\*|\/\/) ?/g, ' ')
        .matchAll(/kube-proxy\.md(?:,? section)? ?([\d.]*\d)?/g),
    ].map(match => ({ file, section: match[1] })),
  );
  t.ok(cited.length > 0, `${cited.length} citations`);
  t.same(
    cited.filter(({ section }) => !sections.has(section)),
    [],
  );
});

t.test('what a document links to or names under src/ is there', async t => {
  const documents = [...readdirSync(ROOT), ...readdirSync(join(ROOT, 'docs')).map(file => `docs/${file}`)].filter(
    file => file.endsWith('.md') && file !== 'docs/fields.md',
  );
  t.ok(documents.length > 5, documents.join(', '));
  const missing = documents.flatMap(file => {
    const text = read(file);
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(match => join(dirname(file), match[1] ?? ''));
    const named = [...text.matchAll(/`((?:src|test|docs)\/[\w./-]+)`/g)].map(match => match[1] ?? '');
    // A changelog tells of what was.
    const wanted = file === 'CHANGELOG.md' ? links : [...links, ...named];
    return wanted.filter(path => !existsSync(join(ROOT, path))).map(path => `${file}: ${path}`);
  });
  t.same(missing, []);
});
