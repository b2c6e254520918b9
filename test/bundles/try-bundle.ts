import { eventually } from '../support/up.js';
import type { Api, Answer } from './api.js';
import type { Bundle } from './bundles.js';
import { isTemplate, manifests } from './documents.js';

/** What a server said of each document: its status, and why where it refused. */
export type Verdicts = ReadonlyMap<string, string>;

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISHED_MS = 30_000;
/** Of one bundle: some have thousands, much alike. */
const MAX_SAMPLES = 300;

const verdict = ({ status, text }: Answer): string => {
  if (status < 300) return String(status);
  const message = text.startsWith('{') ? (JSON.parse(text) as { message?: string }).message : undefined;
  return `${status} ${message ?? text}`;
};

/** Installs what a bundle defines, waits until it is served, and creates its samples without keeping them. */
export async function tryBundle(api: Api, bundle: Bundle, root: string): Promise<Verdicts> {
  const verdicts = new Map<string, string>();
  const definitions = [...manifests(root, bundle.definitions)].filter(
    ({ object }) => object['kind'] === 'CustomResourceDefinition',
  );
  for (const { from, object } of definitions) verdicts.set(from, verdict(await api.ask('POST', CRDS, object)));
  await eventually(
    `the kinds of ${bundle.name} to be established`,
    async () => {
      const { items } = JSON.parse((await api.ask('GET', CRDS)).text) as { items: Conditioned[] };
      return items.filter(item => !established(item)).length;
    },
    waiting => waiting === 0,
    ESTABLISHED_MS,
  );
  const accepted = definitions.filter(({ from }) => verdicts.get(from) === '201');
  const paths = pathsOf(accepted.map(({ object }) => object as unknown as Definition));
  // What is established is served a moment later.
  for (const path of new Set(paths.values()))
    await eventually(
      `${path} to be served`,
      () => api.ask('GET', `${path}?limit=1`),
      ({ status }) => status === 200,
    );
  let count = 0;
  for (const { from, object } of manifests(root, bundle.samples, text => !isTemplate(text))) {
    const path = paths.get(`${String(object['apiVersion'])} ${String(object['kind'])}`);
    if (path === undefined || verdicts.has(from)) continue;
    if (++count > MAX_SAMPLES) break;
    const { namespace: _, ...metadata } = (object['metadata'] ?? {}) as Record<string, unknown>;
    const sample = { ...object, metadata };
    verdicts.set(from, verdict(await createDry(api, path, sample)));
  }
  for (const { object } of accepted)
    await api.ask('DELETE', `${CRDS}/${(object as unknown as Definition).metadata.name}`);
  return verdicts;
}

/** A real server may still be setting up the storage of a kind, and times out. */
async function createDry(api: Api, path: string, sample: object): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await api.ask('POST', `${path}?dryRun=All&fieldValidation=Strict`, sample);
    if (answer.status !== 504 || tries === 3) return answer;
  }
}

interface Conditioned {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const established = ({ status }: Conditioned): boolean =>
  (status?.conditions ?? []).some(condition => condition.type === 'Established' && condition.status === 'True');

/** Where objects are created, by "apiVersion kind". */
function pathsOf(definitions: readonly Definition[]): Map<string, string> {
  const paths = new Map<string, string>();
  for (const { spec } of definitions)
    for (const { name, served } of spec.versions) {
      if (!served) continue;
      const at = spec.scope === 'Namespaced' ? 'namespaces/default/' : '';
      paths.set(`${spec.group}/${name} ${spec.names.kind}`, `/apis/${spec.group}/${name}/${at}${spec.names.plural}`);
    }
  return paths;
}
