import type { Program } from '../process.js';

/** The common userland: name to the module that holds it, loaded when first called. */
const MODULES = {
  text: async () => import('./text.js'),
  grep: async () => import('./grep.js'),
  sed: async () => import('./sed.js'),
  expr: async () => import('./expr.js'),
  files: async () => import('./files.js'),
  system: async () => import('./system.js'),
  net: async () => import('./net.js'),
  curl: async () => import('./curl.js'),
  wget: async () => import('./wget.js'),
  tar: async () => import('./tar.js'),
  sh: async () => import('../shell/sh.js'),
};

type ModuleName = keyof typeof MODULES;

/** Programs whose name is not that of the function, or that have several. */
const ALIASES: Readonly<Record<string, readonly [ModuleName, string]>> = {
  '[': ['files', 'test'],
  '[[': ['files', 'test'],
  egrep: ['grep', 'grep'],
  fgrep: ['grep', 'grep'],
  netcat: ['net', 'nc'],
  bash: ['sh', 'sh'],
  ash: ['sh', 'sh'],
  true: ['system', 'succeed'],
  false: ['system', 'fail'],
  sync: ['system', 'succeed'],
  clear: ['system', 'succeed'],
};

const NAMES: Readonly<Record<ModuleName, readonly string[]>> = {
  sh: ['sh'],
  grep: ['grep'],
  sed: ['sed'],
  expr: ['expr'],
  curl: ['curl'],
  wget: ['wget'],
  tar: ['tar'],
  net: ['nc', 'nslookup', 'dig', 'getent', 'ip'],
  text: 'echo printf cat head tail wc sort uniq cut tr tee seq yes base64'.split(' '),
  files: 'ls mkdir rm rmdir touch cp mv chmod chown chgrp stat find basename dirname sha256sum md5sum test'.split(' '),
  system:
    'sleep env printenv timeout xargs hostname date id whoami uname kill ps which pwd nproc ping sysctl mount'.split(
      ' ',
    ),
};

const places = new Map<string, readonly [ModuleName, string]>([
  ...Object.entries(NAMES).flatMap(([module, names]) =>
    names.map(name => [name, [module as ModuleName, name] as const] as const),
  ),
  ...Object.entries(ALIASES),
]);

/** A program of the common userland; undefined when there is none of that name. */
export async function userlandProgram(name: string): Promise<Program | undefined> {
  const place = places.get(name);
  if (place === undefined) return undefined;
  const exports = (await MODULES[place[0]]()) as unknown as Readonly<Record<string, Program>>;
  return exports[place[1]];
}

export const userlandNames = (): string[] => [...places.keys()].sort();
