import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
}

/** What its licence asks to be told of a package. */
interface Notice {
  readonly title: string;
  readonly copyright: readonly string[];
  /** Of files such as LICENSE and NOTICE. */
  readonly texts: readonly string[];
}

/** The field descriptions in the OpenAPI documents are upstream's, which this package has in its types. */
const DESCRIPTIONS = 'node_modules/@kubernetes/client-node';

const LEGAL_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i;
const COPYRIGHT_LINE = /^[ \t]*Copyright (?!License|\[).*$/gm;
/** "…/node_modules/@scope/name/lib/file.js": the folder of the innermost package. */
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

const HEAD = `Kubette is licensed under the Apache License, Version 2.0: see LICENSE.

It contains work of others. Joined into build/dist are parts of`;

/** Names every package that esbuild has put something of into the bundle, with its copyright and the text of its licence. */
export function noticeOf(root: string, { outputs }: Pick<Metafile, 'outputs'>): string {
  const folders = new Set<string>();
  for (const { inputs } of Object.values(outputs))
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = PACKAGE_FOLDER.exec(file)?.[0];
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  const joined = byTitle([...folders].map(folder => readNotice(join(root, folder))));
  const described = readNotice(join(root, DESCRIPTIONS));
  return [
    HEAD,
    joined.map(lineOf).join(''),
    'The descriptions of fields in build/generated/openapi are those of\n',
    lineOf(described),
    'What is in node_modules has its licences beside it.\n',
    ...licences([...joined, described]),
  ].join('\n');
}

const lineOf = ({ title, copyright }: Notice): string =>
  `  ${title}\n${copyright.map(line => `    ${line}\n`).join('')}`;

/** One of two that say the same, such as one version in two places. */
function byTitle(notices: readonly Notice[]): Notice[] {
  const found = new Map(notices.map(notice => [`${notice.title}\n${notice.copyright.join('\n')}`, notice]));
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, notice]) => notice);
}

/** Each text once, below the names of those that have it. */
function licences(notices: readonly Notice[]): string[] {
  const found = new Map<string, { readonly text: string; readonly titles: string[] }>();
  for (const { title, texts } of notices)
    for (const text of texts) {
      const body = text.replace(COPYRIGHT_LINE, '').trim();
      const key = body.replace(/^(the )?mit license( \(mit\))?/i, '').replace(/\s+/g, ' ');
      const same = found.get(key);
      if (same === undefined) found.set(key, { text: body.replace(/\n{3,}/g, '\n\n'), titles: [title] });
      else same.titles.push(title);
    }
  return [...found.values()].map(({ text, titles }) => `${'-'.repeat(78)}\n${titles.join('\n')}\n\n${text}\n`);
}

/** @throws Error when a package says nothing of its licence: it cannot be given away then */
function readNotice(folder: string): Notice {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as PackageJson;
  if (license === undefined) throw new Error(`${name} ${version} names no licence`);
  const texts = readdirSync(folder)
    .filter(file => LEGAL_FILE.test(file))
    .map(file => readFileSync(join(folder, file), 'utf8').replaceAll('\r', ''));
  const lines = texts.flatMap(text => text.match(COPYRIGHT_LINE) ?? []).map(line => line.trim());
  const by = typeof author === 'string' ? author : author?.name;
  const copyright = lines.length > 0 ? [...new Set(lines)] : by === undefined ? [] : [`by ${by}`];
  if (copyright.length === 0) throw new Error(`${name} ${version} does not say whose it is`);
  return { title: `${name} ${version}, ${license}`, copyright, texts };
}
