import { spawnSync } from 'node:child_process';

/** A command of a page that is not simply run until it succeeds. */
export interface Special {
  readonly page: string;
  /** What the command begins with. */
  readonly command: string;
  /** Of those that begin so, the one that is meant, from 0; undefined: all. */
  readonly nth?: number;
  readonly why: string;
  /** It is not run. */
  readonly skip?: true;
  /** Run before it, in the same shell: what the page leaves to the reader. */
  readonly before?: string;
  /** Run in its place, e.g. to see that a make target is there. */
  readonly instead?: string;
  /** It goes on until somebody ends it, which is done when its output is like this. */
  readonly goesOnWith?: RegExp;
  /** It is refused, in these words. */
  readonly refused?: RegExp;
  /** Its output, beyond what the page shows. */
  readonly output?: RegExp;
}

/** Every page has a folder and a shell of its own; KUBECONFIG is what `kubette up` there writes. */
export const PREAMBLES: Readonly<Record<string, string>> = {
  'docs/behaviour.md': 'kubette up -d --nodes 1',
  'docs/extending.md': 'kubette up -d',
  'docs/why.md': 'kubette up -d --nodes 2',
  'examples/README.md':
    'kubette up -d --nodes 4 --proxy-mode iptables,nftables,ipvs,userspace --service-cluster-ip-range 10.96.0.0/16,fd00:10:96::/112',
};

const HELLO_SERVER = `
cat > hello.mjs <<'END'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
createServer({ cert: readFileSync('cert.pem'), key: readFileSync('key.pem') }, (request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'hello.example.com/v1', resources: [] }));
}).listen(9445, '127.0.0.1');
END
node hello.mjs &`;

const BROKEN_SHOP = `
kubectl create namespace shop
kubectl config set-context --current --namespace shop
kubectl create deployment app --image=nginx --replicas=2
kubectl create service clusterip web --tcp=80
kubectl set selector svc/web app=ap
kubectl rollout status deploy/app`;

/** What wants an etcd is not run where there is none. */
const ETCD: readonly Special[] = [
  {
    page: 'docs/etcd.md',
    command: 'kubette apiserver --storage etcd',
    why: 'it wants three machines',
    skip: true,
  },
  {
    page: 'docs/etcd.md',
    command: 'ETCDCTL_API=3 etcdctl get',
    why: 'it is about an etcd without keys at the usual port',
    skip: true,
  },
  ...(['kubette up', 'kubette status', 'kubette kubeconfig', 'kubectl', 'kubette delete'] as const)
    .filter(() => spawnSync('etcd', ['--version']).error !== undefined)
    .map((command): Special => ({ page: 'docs/etcd.md', command, why: 'etcd is not installed', skip: true })),
];

export const SPECIAL: readonly Special[] = [
  ...ETCD,
  // README.md
  {
    page: 'README.md',
    command: 'kubette trace client http://my-app',
    why: 'the excerpt leaves out how the client is made',
    before:
      'kubectl run client --image=busybox --command -- sleep infinity; kubectl wait --for=condition=Ready pod/client',
  },
  {
    page: 'README.md',
    command: 'kubette why svc/wrong',
    why: 'the excerpt leaves out what is wrong',
    before: 'kubectl create service clusterip wrong --tcp=80; kubectl set selector svc/wrong app=my-ap',
  },
  {
    page: 'README.md',
    command: 'make up',
    why: 'the package is built already, and up runs',
    instead: 'make -C "$REPOSITORY" -n up',
  },
  {
    page: 'README.md',
    command: 'export KUBECONFIG=.kubette/kubeconfig',
    why: 'what the excerpt above has made is in the way of the same again',
    before: 'kubectl delete deployment,service my-app; kubectl delete service wrong; kubectl delete pod client --now',
  },
  { page: 'README.md', command: 'kubette up -d', nth: 1, why: 'it runs from further above', before: 'kubette down' },
  {
    page: 'README.md',
    command: 'kubette logs apiserver -f',
    why: 'it follows',
    goesOnWith: /serving|listening|^$/,
  },
  { page: 'README.md', command: 'npx kubette apiserver', why: 'it serves until it is ended', goesOnWith: /serving on/ },
  { page: 'README.md', command: 'npx kubette up', why: 'it runs until it is ended', goesOnWith: /ready in \d+ ms/ },
  {
    page: 'README.md',
    command: 'KUBEBUILDER_ASSETS=',
    why: 'it runs the tests of the reader; make clients runs some',
    instead: 'ls "$(npx kubette envtest)"',
    output: /etcd\s+kube-apiserver\s+kubectl/,
  },
  { page: 'README.md', command: 'make ', why: 'each is a test run of its own', instead: 'make -C "$REPOSITORY" -n' },
  // docs/extending.md
  {
    page: 'docs/extending.md',
    command: 'kubectl scale shop corner --replicas=9',
    why: 'the rule refuses it',
    refused: /more replicas than maxReplicas/,
  },
  {
    page: 'docs/extending.md',
    command: "kubectl create -f - <<'END'\napiVersion: example.com/v1",
    why: 'the webhook refuses it',
    refused: /admission webhook "teams\.example\.com" denied the request: name a team/,
    before: 'node hook.mjs &',
  },
  {
    page: 'docs/extending.md',
    command: 'kubectl create deployment many',
    why: 'the policy refuses it',
    refused: /at most 5 replicas, not 6/,
  },
  {
    page: 'docs/extending.md',
    command: 'kubectl wait --for=condition=Available apiservice',
    why: 'the page leaves the server to the reader',
    before: HELLO_SERVER,
  },
  { page: 'docs/extending.md', command: 'kubectl get hpa busy', why: 'it takes a while', output: /\b3\b/ },
  {
    page: 'docs/extending.md',
    command: 'npx kubette apiserver --encryption-provider-config',
    why: 'it serves until it is ended; the folder here has a running cluster',
    before: 'mkdir encrypted; cp encryption.yaml encrypted; cd encrypted',
    goesOnWith: /serving on/,
  },
  {
    page: 'docs/extending.md',
    command: 'KUBEBUILDER_ASSETS=',
    why: 'it runs the tests of the reader; make clients runs some',
    instead: 'ls "$(npx kubette envtest)"',
    output: /etcd\s+kube-apiserver\s+kubectl/,
  },
  // docs/behaviour.md
  {
    page: 'docs/behaviour.md',
    command: 'kubectl annotate pod web-0',
    why: 'the page leaves the Pod to the reader',
    before: 'kubectl run web-0 --image=nginx',
  },
  // docs/why.md
  {
    page: 'docs/why.md',
    command: 'kubette why svc/web',
    why: 'the excerpt leaves out what is wrong',
    before: BROKEN_SHOP,
  },
  // examples/README.md
  {
    page: 'examples/README.md',
    command: 'make up',
    why: 'the same flags are those that this page is run with',
    instead: 'make -C "$REPOSITORY" -n up',
  },
];
