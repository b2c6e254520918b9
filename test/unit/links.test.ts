import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/up.js';

/* Links of the pages lead somewhere, also for who has only the package. */
const pages = [
  ...readdirSync(ROOT).filter(name => name.endsWith('.md')),
  ...['docs', 'examples'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.md') && !name.includes('node_modules'))
      .map(name => `${folder}/${name}`),
  ),
];
const text = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
const packed = (JSON.parse(text('package.json')) as { files: string[] }).files.map(file => file.replace(/^\//, ''));

/** Without what stands in fences and code. */
const prose = (page: string): string =>
  text(page)
    .replace(/```[^]*?```/g, '')
    .replace(/`[^`\n]*`/g, '');
/** As GitHub names a heading. */
const anchors = (page: string): string[] =>
  [...text(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

for (const page of pages)
  t.test(page, t => {
    for (const [, link = ''] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file = '', anchor] = link.split('#', 2);
      const target = file === '' ? page : normalize(join(dirname(page), file));
      if (!existsSync(join(ROOT, target))) t.fail(`${link}: there is no ${target}`);
      else if (anchor !== undefined) t.ok(anchors(target).includes(anchor), `${link}: ${target} has no such heading`);
      const isPacked = packed.some(kept => target === kept || target.startsWith(`${kept}/`));
      t.ok(isPacked || ['README.md', 'LICENSE', 'package.json'].includes(target), `${link} is in the package`);
    }
    t.end();
  });
