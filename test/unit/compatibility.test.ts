import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KUBERNETES_VERSION } from '../../src/machinery/kubernetes-version.js';
import { ROOT } from '../support/up.js';

/* docs/compatibility.md names the versions that `make clients` builds, and what is played. */
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const page = text('docs/compatibility.md');
const versions = (file: string, expression: RegExp): string[] =>
  [...text(file).matchAll(expression)].map(([, version = '']) => version);

const CLIENTS: readonly { client: string; versions: string[] }[] = [
  { client: 'client-go', versions: versions('test/clients/go/go.mod', /k8s\.io\/client-go (\S+)/g) },
  {
    client: '@kubernetes/client-node',
    versions: versions('package.json', /"@kubernetes\/client-node": "\^([^"]+)"/g),
  },
  { client: 'Python: kubernetes', versions: versions('test/clients/python/requirements.txt', /^kubernetes==(\S+)/gm) },
  { client: 'Java: fabric8 kubernetes-client', versions: versions('test/clients/java/pom.xml', /<version>(7[^<]*)</g) },
  {
    client: 'Rust: kube, k8s-openapi',
    versions: [
      versions('test/clients/rust/Cargo.toml', /^(?:kube|k8s-openapi) = \{ version = "([^"]+)"/gm)
        .reverse()
        .join(', '),
    ],
  },
  {
    client: 'controller-runtime, and its own envtest suites',
    versions: versions('test/clients/controller-runtime/go.mod', /controller-runtime (\S+)/g),
  },
  { client: 'kopf', versions: versions('test/clients/kopf/requirements.txt', /^kopf==(\S+)/gm) },
  {
    client: 'k9s, typed to in a terminal multiplexer',
    versions: versions('test/clients/main.ts', /derailed\/k9s@([^']+)'/g),
  },
  { client: 'Helm (its library)', versions: versions('test/clients/helm/go.mod', /helm\.sh\/helm\/v3 (\S+)/g) },
];
for (const { client, versions: its } of CLIENTS)
  t.test(client, t => {
    t.not(its.length, 0, 'has a version');
    for (const version of its) t.ok(page.includes(`| ${client} | ${version} |`), `| ${client} | ${version} |`);
    t.end();
  });

t.test('what is played', t => {
  t.ok(page.includes(`**Kubernetes ${KUBERNETES_VERSION.replace(/^v/, '').split('.').slice(0, 2).join('.')}**`));
  t.end();
});
