import { open, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Document } from 'yaml';
import { ADMIN } from '../../cluster/keys/kubeconfig.js';
import { writeFileAtomic } from '../../cluster/keys/files.js';
import { ensureDataFolder } from '../../cluster/data-folder.js';

const LISTS = ['clusters', 'users', 'contexts'] as const;

interface Named {
  readonly name?: string;
}

interface Config {
  readonly clusters?: readonly Named[];
  readonly users?: readonly Named[];
  readonly contexts?: readonly Named[];
  readonly 'current-context'?: string;
}

/** The user's own file: the first of $KUBECONFIG, or ~/.kube/config. */
export function userKubeconfig(env: NodeJS.ProcessEnv = process.env): string {
  const first = (env['KUBECONFIG'] ?? '').split(delimiter).find(path => path !== '');
  return first ?? join(homedir(), '.kube', 'config');
}

async function parse(text: string, path: string): Promise<Document> {
  const { parseDocument } = (await import('yaml')).default;
  const document = parseDocument(text === '' ? 'apiVersion: v1\nkind: Config\n' : text);
  const [problem] = document.errors;
  if (problem !== undefined) throw new Error(`${path} is no YAML: ${problem.message.split('\n')[0] ?? ''}`);
  if (typeof document.toJS() !== 'object') throw new Error(`${path} is no kubeconfig`);
  return document;
}

/** Takes out what is called `name`, and the choice of it. Comments and all else stay as they are. */
function take(document: Document, name: string): boolean {
  let found = false;
  for (const list of LISTS) {
    const items = (document.toJS() as Config)[list] ?? [];
    for (let i = items.length - 1; i >= 0; i--)
      if (items[i]?.name === name) {
        document.deleteIn([list, i]);
        found = true;
      }
  }
  if (document.get('current-context') === name) document.set('current-context', '');
  return found;
}

/** The user's file with the cluster of `own` in it, chosen. What was there of that name is replaced. */
export async function merged(text: string, own: string, path: string): Promise<string> {
  const document = await parse(text, path);
  const mine = (await parse(own, 'the kubeconfig of the cluster')).toJS() as Config;
  const name = mine['current-context'] ?? '';
  take(document, name);
  for (const list of LISTS)
    for (const item of mine[list] ?? []) {
      if (!Array.isArray((document.toJS() as Config)[list])) document.set(list, document.createNode([]));
      document.addIn([list], document.createNode(item));
    }
  document.set('current-context', name);
  return String(document);
}

/** The user's file without a cluster; undefined: it is not there. */
export async function without(text: string, name: string, path: string): Promise<string | undefined> {
  const document = await parse(text, path);
  return take(document, name) ? String(document) : undefined;
}

/** The kubeconfig of the cluster in a data folder. @throws Error when there is none */
export async function ownKubeconfig(dataDir: string): Promise<string> {
  try {
    return await readFile(join(dataDir, ADMIN.file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`there is no cluster in ${dataDir}; "kubette list" shows those there are`, { cause: error });
  }
}

/** Puts a cluster into a file, and chooses it. @returns what was done */
export async function mergeInto(file: string, dataDir: string): Promise<string> {
  const own = await ownKubeconfig(dataDir);
  await changeKubeconfig(file, text => merged(text, own, file));
  const { 'current-context': context = '' } = (await parse(own, file)).toJS() as Config;
  return `${context} is in ${file}, and chosen`;
}

/** Changes the file, holding kubectl's own lock on it. @throws Error when another program has it locked */
export async function changeKubeconfig(
  path: string,
  change: (text: string) => Promise<string | undefined>,
): Promise<boolean> {
  await ensureDataFolder(dirname(path));
  const lock = `${path}.lock`;
  try {
    await (await open(lock, 'wx', 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`${path} is being changed by another program (${lock} is there)`, { cause: error });
  }
  try {
    const changed = await change(await readFile(path, 'utf8').catch(emptyIfMissing));
    if (changed === undefined) return false;
    await writeFileAtomic(await behindLinks(path), changed, 0o600);
    return true;
  } finally {
    await rm(lock, { force: true });
  }
}

/** The file that a link stands for, which need not be there yet: who keeps it elsewhere keeps the link. */
async function behindLinks(path: string, links = MAX_LINKS): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || links === 0) throw error;
    const target = await readlink(path).catch(notALink);
    return target === undefined ? path : behindLinks(resolve(dirname(path), target), links - 1);
  }
}

/** As Linux has it. */
const MAX_LINKS = 40;

function notALink(error: unknown): undefined {
  if (!['ENOENT', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}

function emptyIfMissing(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
  throw error;
}
