import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from './types.js';
import { compareQuantities } from '../../kinds/validation/quantities.js';
import { forbid, isResource } from './forbidden.js';

interface Claim extends KubeObject {
  spec?: {
    storageClassName?: string;
    resources?: { requests?: Record<string, string> };
  };
  status?: { phase?: string };
}

const isCreate = (request: AdmissionRequest): boolean => request.operation === 'CREATE' && request.subresource === '';

/** The newest object of a resource that is marked as the default of its kind. */
function newestDefault(ctx: RequestContext, resource: string, annotations: readonly string[]): string | undefined {
  let best: DeepReadonly<KubeObject> | undefined;
  for (const object of ctx.objects.list(resource)) {
    if (!annotations.some(key => object.metadata.annotations?.[key] === 'true')) continue;
    const [mine, its] = [object.metadata.creationTimestamp ?? '', best?.metadata.creationTimestamp ?? ''];
    const newer = mine > its || (mine === its && (object.metadata.name ?? '') < (best?.metadata.name ?? ''));
    if (best === undefined || newer) best = object;
  }
  return best?.metadata.name;
}

const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  admit(ctx, request) {
    if (!isCreate(request) || !isResource(request, '', 'persistentvolumeclaims')) return;
    const claim = request.object as Claim;
    if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[BETA_CLASS] !== undefined) return;
    const name = newestDefault(ctx, 'storageclasses.storage.k8s.io', DEFAULT_CLASS);
    if (name !== undefined) claim.spec = { ...claim.spec, storageClassName: name };
  },
};

const PROTECTION: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

/** Volumes and claims in use outlive their deletion. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(_ctx, request) {
    const finalizer = request.resource.group === '' ? PROTECTION[request.resource.plural] : undefined;
    const metadata = request.object?.metadata;
    if (!isCreate(request) || finalizer === undefined || metadata === undefined) return;
    if (!(metadata.finalizers ?? []).includes(finalizer))
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};

/** Only claims of classes that can grow may grow. */
export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  validate(ctx, request) {
    if (request.operation !== 'UPDATE' || request.subresource !== '') return;
    if (!isResource(request, '', 'persistentvolumeclaims')) return;
    const size = (claim: DeepReadonly<Claim> | undefined): string =>
      claim?.spec?.resources?.requests?.['storage'] ?? '0';
    const old: DeepReadonly<Claim> | undefined = request.old;
    if (compareQuantities(size(request.object), size(old)) <= 0) return;
    if (old?.status?.phase !== 'Bound') throw forbid(request, 'Only bound persistent volume claims can be expanded');
    const name = old.spec?.storageClassName ?? old.metadata.annotations?.[BETA_CLASS] ?? '';
    const found = ctx.objects.get('storageclasses.storage.k8s.io', { namespace: '', name });
    if (found?.['allowVolumeExpansion'] !== true) {
      const text =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      throw forbid(request, text);
    }
  },
};

const DEFAULT_INGRESS_CLASS = ['ingressclass.kubernetes.io/is-default-class'];
const INGRESS_ANNOTATION = 'kubernetes.io/ingress.class';

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  admit(ctx, request) {
    if (!isCreate(request) || !isResource(request, 'networking.k8s.io', 'ingresses')) return;
    const ingress = request.object as KubeObject & { spec?: { ingressClassName?: string } };
    if (ingress.metadata.annotations?.[INGRESS_ANNOTATION] !== undefined) return;
    if (ingress.spec?.ingressClassName !== undefined) return;
    const name = newestDefault(ctx, 'ingressclasses.networking.k8s.io', DEFAULT_INGRESS_CLASS);
    if (name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: name };
  },
};
