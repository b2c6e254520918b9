import type {
  DeepReadonly,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../machinery/types.js';

type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;

/** The provisioner that kind brings (https://github.com/rancher/local-path-provisioner). */
export const LOCAL_PATH = 'rancher.io/local-path';
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

const MODES = ['ReadWriteOnce', 'ReadWriteOncePod'];
const HOSTNAME = 'kubernetes.io/hostname';

export const volumeName = (claim: ReadonlyClaim): string => `pvc-${claim.metadata.uid ?? ''}`;

/** Why no volume can be made for a claim, in the provisioner's words; undefined when one can. */
export function refusal({ spec }: ReadonlyClaim): string | undefined {
  if (spec?.selector !== undefined) return 'claim.Spec.Selector is not supported';
  if ((spec?.accessModes ?? []).some(mode => !MODES.includes(mode)))
    return 'NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes';
  return undefined;
}

/** A directory of the node, for this claim alone. */
export function localVolume(
  claim: ReadonlyClaim,
  storageClass: DeepReadonly<StorageClass>,
  node: DeepReadonly<Node>,
): PersistentVolume {
  const { namespace = '', name = '', uid = '', resourceVersion } = claim.metadata;
  const directory = `${volumeName(claim)}_${namespace}_${name}`;
  const hostname = node.metadata.labels?.[HOSTNAME] ?? node.metadata.name ?? '';
  const { mountOptions, reclaimPolicy = 'Delete' } = storageClass;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeName(claim),
      annotations: {
        'local.path.provisioner/selected-node': node.metadata.name ?? '',
        [PROVISIONED_BY]: LOCAL_PATH,
      },
    },
    spec: {
      accessModes: [...(claim.spec?.accessModes ?? [])],
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '0' },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace,
        name,
        uid,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      hostPath: { path: `/var/local-path-provisioner/${directory}`, type: 'DirectoryOrCreate' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [hostname] }] }],
        },
      },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClass.metadata.name ?? '',
      volumeMode: claim.spec?.volumeMode ?? 'Filesystem',
      ...(mountOptions === undefined ? {} : { mountOptions: [...mountOptions] }),
    },
  };
}

/** kind's default class. */
export const STANDARD_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: LOCAL_PATH,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
};
