import type { DeepReadonly, KubeObject } from '../../machinery/types.js';

/** The parts of a Pod that name other objects (kubernetes pkg/api/v1/pod, VisitPodSecretNames and its like). */
interface Ref {
  readonly name?: string;
}
interface SecretRef {
  readonly secretRef?: Ref;
}
interface Volume {
  readonly name?: string;
  readonly secret?: { readonly secretName?: string };
  readonly configMap?: Ref;
  readonly projected?: { readonly sources?: readonly { readonly secret?: Ref; readonly configMap?: Ref }[] };
  readonly persistentVolumeClaim?: { readonly claimName?: string };
  readonly ephemeral?: object;
  readonly azureFile?: { readonly secretName?: string };
  readonly csi?: { readonly nodePublishSecretRef?: Ref };
  readonly cephfs?: SecretRef;
  readonly cinder?: SecretRef;
  readonly flexVolume?: SecretRef;
  readonly iscsi?: SecretRef;
  readonly rbd?: SecretRef;
  readonly scaleIO?: SecretRef;
  readonly storageos?: SecretRef;
}
interface Container {
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: Ref; readonly configMapKeyRef?: Ref } }[];
  readonly envFrom?: readonly { readonly secretRef?: Ref; readonly configMapRef?: Ref }[];
}
interface Spec {
  readonly serviceAccountName?: string;
  readonly imagePullSecrets?: readonly Ref[];
  readonly resourceClaims?: readonly { readonly name: string; readonly resourceClaimName?: string }[];
  readonly volumes?: readonly Volume[];
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
}

type Pod = DeepReadonly<KubeObject>;

const specOf = (pod: Pod): Spec => (pod['spec'] as Spec | undefined) ?? {};
const present = (names: readonly (string | undefined)[]): string[] => names.filter(name => name !== undefined);
const containersOf = (spec: Spec): Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

export function secretsOf(pod: Pod): string[] {
  const spec = specOf(pod);
  const volumes = (spec.volumes ?? []).flatMap(v => [
    v.secret?.secretName,
    ...(v.projected?.sources ?? []).map(source => source.secret?.name),
    v.azureFile?.secretName,
    v.csi?.nodePublishSecretRef?.name,
    ...[v.cephfs, v.cinder, v.flexVolume, v.iscsi, v.rbd, v.scaleIO, v.storageos].map(x => x?.secretRef?.name),
  ]);
  const containers = containersOf(spec).flatMap(c => [
    ...(c.env ?? []).map(e => e.valueFrom?.secretKeyRef?.name),
    ...(c.envFrom ?? []).map(e => e.secretRef?.name),
  ]);
  return present([...(spec.imagePullSecrets ?? []).map(ref => ref.name), ...volumes, ...containers]);
}

export function configMapsOf(pod: Pod): string[] {
  const spec = specOf(pod);
  const volumes = (spec.volumes ?? []).flatMap(v => [
    v.configMap?.name,
    ...(v.projected?.sources ?? []).map(source => source.configMap?.name),
  ]);
  const containers = containersOf(spec).flatMap(c => [
    ...(c.env ?? []).map(e => e.valueFrom?.configMapKeyRef?.name),
    ...(c.envFrom ?? []).map(e => e.configMapRef?.name),
  ]);
  return present([...volumes, ...containers]);
}

/** Claims by name, and those made for ephemeral volumes. */
export const claimsOf = (pod: Pod): string[] =>
  present(
    (specOf(pod).volumes ?? []).flatMap(v => [
      v.persistentVolumeClaim?.claimName,
      v.ephemeral === undefined ? undefined : `${pod.metadata.name ?? ''}-${v.name ?? ''}`,
    ]),
  );

export const serviceAccountOf = (pod: Pod): string[] => present([specOf(pod).serviceAccountName]);

/** ResourceClaims by name, and those made from templates, which the Pod's status names. */
export function resourceClaimsOf(pod: Pod): string[] {
  const status = (pod['status'] ?? {}) as {
    resourceClaimStatuses?: readonly { readonly name: string; readonly resourceClaimName?: string }[];
    extendedResourceClaimStatus?: { readonly resourceClaimName?: string };
  };
  const made = (name: string): string | undefined =>
    status.resourceClaimStatuses?.find(claim => claim.name === name)?.resourceClaimName;
  return present([
    ...(specOf(pod).resourceClaims ?? []).map(claim => claim.resourceClaimName ?? made(claim.name)),
    status.extendedResourceClaimStatus?.resourceClaimName,
  ]);
}

interface SecretSource {
  readonly secretRef?: { readonly name?: string; readonly namespace?: string };
}
interface VolumeSource {
  readonly claimRef?: { readonly namespace?: string };
  readonly azureFile?: { readonly secretName?: string; readonly secretNamespace?: string };
  readonly cephfs?: SecretSource;
  readonly cinder?: SecretSource;
  readonly flexVolume?: SecretSource;
  readonly iscsi?: SecretSource;
  readonly rbd?: SecretSource;
  readonly scaleIO?: SecretSource;
  readonly storageos?: SecretSource;
  readonly csi?: Readonly<Record<string, { readonly name?: string; readonly namespace?: string } | undefined>>;
}

/** What of a CSI volume the kubelet itself needs; the other Secrets are the controllers'. */
const NODE_SECRETS = ['nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef'];

/** Secrets that a kubelet reads to mount a PersistentVolume; without a namespace they are beside its claim. */
export function volumeSecretsOf(volume: DeepReadonly<KubeObject>): { namespace: string; name: string }[] {
  const source = (volume['spec'] as VolumeSource | undefined) ?? {};
  const { azureFile, cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos, csi } = source;
  const refs = [
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
    ...[cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos].map(one => one?.secretRef),
    ...NODE_SECRETS.map(name => csi?.[name]),
  ];
  const beside = source.claimRef?.namespace ?? '';
  return refs.flatMap(ref => (ref?.name ? [{ namespace: ref.namespace || beside, name: ref.name }] : []));
}
