/** Definitions that operators ship, and where their module keeps them. */
export interface Bundle {
  readonly name: string;
  /** A Go module with its version, as `go mod download` takes it. */
  readonly module: string;
  /** Folders and files of definitions. */
  readonly definitions: readonly string[];
  /** Folders that are searched for objects of the kinds that are defined. */
  readonly samples: readonly string[];
}

export const BUNDLES: readonly Bundle[] = [
  {
    name: 'Gateway API',
    module: 'sigs.k8s.io/gateway-api@v1.6.3',
    definitions: ['config/crd/experimental'],
    samples: ['examples', 'conformance', 'site-src', 'geps'],
  },
  {
    name: 'cert-manager',
    module: 'github.com/cert-manager/cert-manager@v1.21.2',
    definitions: ['deploy/crds'],
    samples: ['make', 'test', 'deploy', 'design'],
  },
  {
    name: 'prometheus-operator',
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    definitions: ['example/prometheus-operator-crd-full'],
    samples: ['example', 'test'],
  },
  {
    name: 'Argo CD',
    module: 'github.com/argoproj/argo-cd/v3@v3.5.7',
    definitions: ['manifests/crds'],
    samples: ['examples', 'docs', 'test', 'applicationset'],
  },
  {
    name: 'Argo Rollouts',
    module: 'github.com/argoproj/argo-rollouts@v1.10.0',
    definitions: ['manifests/crds'],
    samples: ['examples', 'test'],
  },
  {
    name: 'Istio',
    module: 'istio.io/api@v1.31.4',
    definitions: ['kubernetes/customresourcedefinitions.gen.yaml'],
    samples: ['.'],
  },
  {
    name: 'Crossplane',
    module: 'github.com/crossplane/crossplane/v2@v2.0.2',
    definitions: ['cluster/crds'],
    samples: ['test/e2e/manifests'],
  },
  {
    name: 'Cluster API',
    module: 'sigs.k8s.io/cluster-api@v1.13.6',
    definitions: ['config/crd/bases', 'controlplane/kubeadm/config/crd/bases', 'bootstrap/kubeadm/config/crd/bases'],
    samples: ['test', 'docs', 'internal', 'cmd'],
  },
  {
    name: 'KEDA',
    module: 'github.com/kedacore/keda/v2@v2.20.2',
    definitions: ['config/crd/bases'],
    samples: ['config/samples', 'examples', 'tests'],
  },
  {
    name: 'Flux sources',
    module: 'github.com/fluxcd/source-controller@v1.9.6',
    definitions: ['config/crd/bases'],
    samples: ['config/samples', 'config/testdata', 'internal'],
  },
  {
    name: 'Flux kustomizations',
    module: 'github.com/fluxcd/kustomize-controller@v1.9.6',
    definitions: ['config/crd/bases'],
    samples: ['config/samples', 'config/testdata', 'internal'],
  },
  {
    name: 'Flux releases',
    module: 'github.com/fluxcd/helm-controller@v1.4.0',
    definitions: ['config/crd/bases'],
    samples: ['config/samples', 'config/testdata', 'internal'],
  },
];
