import type { DeepReadonly, Pod } from '../../machinery/types.js';
import { configMapsOf, secretsOf } from '../auth/node-references.js';

/** Sources of a volume that stand for other API objects, in the order upstream asks for them. */
const VOLUME_REFERENCES: readonly (readonly [source: string, what: string])[] = [
  ['configMap', 'configmaps (via configmap volumes)'],
  ['secret', 'secrets (via secret volumes)'],
  ['csi', 'csidrivers (via CSI volumes)'],
  ['glusterfs', 'endpoints (via glusterFS volumes)'],
  ['persistentVolumeClaim', 'persistentvolumeclaims'],
  ['ephemeral', 'persistentvolumeclaims (via ephemeral volumes)'],
  ['azureFile', 'secrets (via azureFile volumes)'],
];
const PROJECTED_REFERENCES: readonly (readonly [source: string, what: string])[] = [
  ['configMap', 'configmaps (via projected volumes)'],
  ['secret', 'secrets (via projected volumes)'],
  ['serviceAccountToken', 'serviceaccounts (via projected volumes)'],
  ['clusterTrustBundle', 'clustertrustbundles'],
  ['podCertificate', 'podcertificates'],
];

type Sources = Readonly<Record<string, unknown>>;

const referenceIn = (
  source: Sources,
  references: readonly (readonly [source: string, what: string])[],
): string | undefined => references.find(([name]) => source[name] !== undefined)?.[1];

/** Which kind of API object a Pod refers to, in upstream's words; undefined: it stands alone. */
export function apiReference(pod: DeepReadonly<Pod>): string | undefined {
  const { serviceAccountName = '', volumes = [] } = pod.spec ?? {};
  if (serviceAccountName !== '') return 'serviceaccounts';
  if (secretsOf(pod).length > 0) return 'secrets';
  if (configMapsOf(pod).length > 0) return 'configmaps';
  if (((pod.spec as { resourceClaims?: readonly unknown[] } | undefined)?.resourceClaims ?? []).length > 0)
    return 'resourceclaims';
  for (const volume of volumes as readonly Sources[]) {
    const direct = referenceIn(volume, VOLUME_REFERENCES);
    if (direct !== undefined) return direct;
    const { sources = [] } = (volume['projected'] ?? {}) as { sources?: readonly Sources[] };
    for (const source of sources) {
      const projected = referenceIn(source, PROJECTED_REFERENCES);
      if (projected !== undefined) return projected;
    }
  }
  return undefined;
}
