import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientConfig } from '../../client/kubeconfig.js';
import type { KeyPair, Subject } from '../../machinery/x509/certificate.js';
import { NODE_AGENTS, NODE_HOSTS } from '../../server/auth/node-agents.js';
import { HOST } from '../addresses.js';
import { readFileIfThere, writeFileAtomic } from './files.js';
import type { Pki } from './pki.js';

/** Who a process is to the API server. */
export interface Identity {
  /** `<data dir>/<file>` is its kubeconfig. */
  readonly file: string;
  readonly subject: Subject;
}

/** The identity behind `<data dir>/kubeconfig`: may do everything. */
export const ADMIN: Identity = {
  file: 'kubeconfig',
  subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
};

/** Our own processes, under upstream's user names; RBAC and the Node authorizer know what each may do. */
export const COMPONENTS: readonly Identity[] = [
  { file: 'controller-manager.kubeconfig', subject: { commonName: 'system:kube-controller-manager' } },
  { file: 'scheduler.kubeconfig', subject: { commonName: 'system:kube-scheduler' } },
  { file: 'proxy.kubeconfig', subject: { commonName: 'system:kube-proxy' } },
  { file: 'dns.kubeconfig', subject: { commonName: 'system:coredns' } },
  { file: 'addons.kubeconfig', subject: { commonName: 'system:kubette-addons' } },
];

/** Of one of our processes, by the name of its command. */
export function componentIdentity(name: string): Identity {
  const found = COMPONENTS.find(({ file }) => file === `${name}.kubeconfig`);
  if (found === undefined) throw new Error(`no identity of ${name}`);
  return found;
}

export const nodeIdentity = (name: string): Identity => ({
  file: `node-${name}.kubeconfig`,
  subject: { commonName: `system:node:${name}`, organizations: ['system:nodes', NODE_AGENTS] },
});

/** Of a process that has many nodes. */
export const NODE_HOST: Identity = {
  file: 'node-host.kubeconfig',
  subject: { commonName: 'system:kubette-node-host', organizations: [NODE_HOSTS] },
};

const base64 = (pem: string): string => Buffer.from(pem).toString('base64');

/** A kubeconfig file's text: one cluster, one user, one context, all of the same name. */
export const formatKubeconfig = (server: string, ca: string, client: KeyPair, name = 'kubette'): string =>
  `apiVersion: v1
kind: Config
clusters:
- name: ${name}
  cluster:
    server: ${server}
    certificate-authority-data: ${base64(ca)}
users:
- name: ${name}
  user:
    client-certificate-data: ${base64(client.cert)}
    client-key-data: ${base64(client.key)}
contexts:
- name: ${name}
  context:
    cluster: ${name}
    user: ${name}
current-context: ${name}
preferences: {}
`;

/** The same as JSON, which kubectl reads as well and our own processes faster. */
const jsonKubeconfig = (server: string, ca: string, client: KeyPair, name: string): string =>
  `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca) } }],
      users: [
        {
          name,
          user: { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) },
        },
      ],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    undefined,
    2,
  )}\n`;

/** Writes `<dataDir>/<identity.file>` for `server` ("https://127.0.0.1:6443") unless it says so already; gives its path. */
export async function ensureKubeconfig(
  dataDir: string,
  pki: Pki,
  identity: Identity,
  server: string,
  context = 'kubette',
): Promise<string> {
  const path = join(dataDir, identity.file);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const client = await clientKeys(pki, identity);
  const format = identity.file === ADMIN.file ? formatKubeconfig : jsonKubeconfig;
  const text = format(server, pki.ca.cert, client, context);
  if ((await readFileIfThere(path)) !== text) await writeFileAtomic(path, text, 0o600);
  return path;
}

const clientKeys = (pki: Pki, { file, subject }: Identity): Promise<KeyPair> =>
  pki.clientCertificate(file === ADMIN.file ? 'admin' : file.replace(/\.kubeconfig$/, ''), subject);

/** What a process needs to be `identity` at `server`, as a value. */
export async function clientConfig(pki: Pki, identity: Identity, server: string): Promise<ClientConfig> {
  const { cert, key } = await clientKeys(pki, identity);
  return { server, ca: pki.ca.cert, cert, key, insecureSkipTlsVerify: false, namespace: 'default' };
}

/** Files a node agent is started with. */
export interface NodeCredentials {
  readonly kubeconfig: string;
  readonly certificate: string;
  readonly key: string;
  /** The CA that signed the API server's client certificate. */
  readonly clientCa: string;
}

/** A kubeconfig for the agent of a node, and a serving certificate for its kubelet API that names `addresses`. */
export const ensureNodeCredentials = (
  dataDir: string,
  pki: Pki,
  server: string,
  node: string,
  addresses: readonly string[],
  context?: string,
): Promise<NodeCredentials> =>
  ensureAgentCredentials({ dataDir, pki, server, context }, nodeIdentity(node), `kubelet-${node}`, [
    node,
    ...addresses,
  ]);

/** The same for a process that has many nodes. */
export const ensureHostCredentials = (
  dataDir: string,
  pki: Pki,
  server: string,
  context?: string,
): Promise<NodeCredentials> => ensureAgentCredentials({ dataDir, pki, server, context }, NODE_HOST, 'kubelets', [HOST]);

interface Where {
  readonly dataDir: string;
  readonly pki: Pki;
  readonly server: string;
  readonly context: string | undefined;
}

async function ensureAgentCredentials(
  { dataDir, pki, server, context }: Where,
  identity: Identity,
  file: string,
  names: readonly string[],
): Promise<NodeCredentials> {
  await pki.servingCertificate(file, identity.subject, names);
  return {
    kubeconfig: await ensureKubeconfig(dataDir, pki, identity, server, context),
    certificate: join(dataDir, 'pki', `${file}.crt`),
    key: join(dataDir, 'pki', `${file}.key`),
    clientCa: join(dataDir, 'pki', 'ca.crt'),
  };
}
