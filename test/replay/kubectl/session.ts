import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Recording } from '../recordings.js';
import { inputsOf, type Known } from './normalize.js';
import { launch, type Process } from './process.js';
import type { Head, Printed, Step } from './types.js';

/** kubectl, and the server that it talks to. */
export interface Kubectl {
  readonly binary: string;
  /** "1.32" */
  readonly version: string;
  readonly config: KubeConfig;
}

export interface KubeConfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string } }[];
  readonly users: readonly { readonly user: unknown }[];
}

export const KUBECTL_MS = 60_000;

const LETTERS = 'bcdfghjkmnpqrstvwxz';
const DIGITS = '23456789';
const oneOf = (characters: string): string => characters[Math.floor(Math.random() * characters.length)] ?? '';
/** Such as "b2c3d4": no normalisation takes it for something else. */
const randomId = (): string => Array.from({ length: 3 }, () => oneOf(LETTERS) + oneOf(DIGITS)).join('');

/** The session's folders, variables and processes. */
export interface Session {
  readonly root: string;
  readonly files: string;
  readonly variables: Map<string, string>;
  readonly known: Known;
  readonly background: Map<string, Process>;
  fill(text: string): string;
  run(args: readonly string[], more?: { env?: Record<string, string>; stdin?: string; timeoutMs?: number }): Process;
  /** A kubeconfig of the session's namespace. */
  config(name: string, user?: unknown): string;
}

export function openSession({ head, steps }: Recording<Head, Step>, kubectl: Kubectl): Session {
  const id = randomId();
  const namespace = `kc${id}`;
  const root = mkdtempSync(join(tmpdir(), 'kc-'));
  const [files, home] = [join(root, 'files'), join(root, 'home')];
  for (const folder of [files, home]) mkdirSync(folder);
  const server = (kubectl.config.clusters[0]?.cluster.server ?? '').replace(/\/$/, '');
  const variables = new Map(Object.entries({ NS: namespace, ID: id, DIR: files, HOME: home, SERVER: server }));
  const fill = (text: string): string =>
    text.replace(/\$\{(\w+)\}/g, (whole, name: string) => variables.get(name) ?? whole);
  const config = (name: string, user = kubectl.config.users[0]?.user): string => {
    const file = join(root, name);
    const context = { cluster: 'kc', user: 'kc', namespace };
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'kc',
      contexts: [{ name: 'kc', context }],
      clusters: [{ name: 'kc', cluster: kubectl.config.clusters[0]?.cluster }],
      users: [{ name: 'kc', user }],
    };
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    return file;
  };
  for (const [name, body] of Object.entries(head.manifests)) {
    mkdirSync(dirname(join(files, name)), { recursive: true });
    writeFileSync(join(files, name), fill(body), { mode: body.startsWith('#!') ? 0o755 : 0o644 });
  }
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    TZ: 'UTC',
    LC_ALL: 'C',
    KUBECONFIG: config('config'),
    TMPDIR: root,
  };
  return {
    root,
    files,
    variables,
    known: {
      inputs: inputsOf(head, steps),
      literals: [
        [files, '<dir>'],
        [home, '<home>'],
        [root, '<tmp>'],
        [basename(kubectl.binary), 'kubectl'],
        [server, '<server>'],
        [server.replace(/^\w+:\/\//, ''), '<host>'],
        [namespace, '<ns>'],
        [id, '<id>'],
      ],
    },
    background: new Map(),
    fill,
    config,
    run: (args, { env: more = {}, stdin, timeoutMs = KUBECTL_MS } = {}) =>
      launch(kubectl.binary, args, { env: { ...env, ...more }, cwd: files, stdin, timeoutMs }),
  };
}

/** What it has printed and how it ended. */
export const finished = async (child: Process): Promise<Printed> => {
  await child.ended;
  return { exit: child.exit ?? '', ...child.output };
};

/** @throws when kubectl cannot read the kubeconfig */
export async function connectKubectl(binary: string, kubeconfig: string): Promise<Kubectl> {
  const ask = async (...args: readonly string[]): Promise<unknown> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), KUBECONFIG: kubeconfig };
    const { exit, stdout, stderr } = await finished(
      launch(binary, args, { env, cwd: tmpdir(), timeoutMs: KUBECTL_MS }),
    );
    if (exit !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout ?? '');
  };
  const config = (await ask('config', 'view', '--raw', '--flatten', '--minify', '-o', 'json')) as KubeConfig;
  const { clientVersion } = (await ask('version', '--client', '-o', 'json')) as {
    clientVersion: { major: string; minor: string };
  };
  return { binary, config, version: `${clientVersion.major}.${Number.parseInt(clientVersion.minor, 10)}` };
}
