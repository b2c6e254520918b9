/** Why a field has no effect in Kubette. A pattern is a type, or "type.field"; "*" at its end stands for any rest. */
export interface Reason {
  readonly id: string;
  /** Also where the type checker sees a read, e.g. through a type of the same shape. */
  readonly always?: true;
  readonly text: string;
  readonly fields: readonly string[];
}

export const reasons: readonly Reason[] = [
  {
    id: 'storage-plugin',
    text: 'There is no storage behind volumes: every kind of storage but hostPath, claims and what the API holds is an empty directory of the Pod, whatever its source says. Pod Security looks at which source it is.',
    fields: [
      ...[
        'GCEPersistentDisk',
        'AWSElasticBlockStore',
        'GitRepo',
        'NFS',
        'ISCSI',
        'Glusterfs',
        'RBD',
        'Flex',
        'Cinder',
        'CephFS',
      ],
      ...[
        'Flocker',
        'FC',
        'AzureFile',
        'VsphereVirtualDisk',
        'Quobyte',
        'AzureDisk',
        'PhotonPersistentDisk',
        'Portworx',
      ],
      ...[
        'ScaleIO',
        'StorageOS',
        'GlusterfsPersistent',
        'RBDPersistent',
        'ISCSIPersistent',
        'CinderPersistent',
        'CephFSPersistent',
      ],
      ...['FlexPersistent', 'AzureFilePersistent', 'ScaleIOPersistent', 'StorageOSPersistent', 'Local'],
    ]
      .map(name => `core.v1.${name}VolumeSource`)
      .concat([
        'core.v1.Volume.*',
        'core.v1.PersistentVolumeSpec.*',
        'core.v1.SecretReference',
        'storage.v1.StorageClass.mountOptions',
        'core.v1.PersistentVolumeClaimVolumeSource.readOnly',
      ]),
  },
  {
    id: 'csi',
    text: 'No CSI driver can be installed: nothing attaches, publishes or measures volumes.',
    fields: [
      'core.v1.CSI*',
      'storage.v1.CSI*',
      'storage.v1.VolumeAttachment*',
      'storage.v1.VolumeAttributesClass*',
      'storage.v1.VolumeError*',
      'storage.v1.TokenRequest*',
      'storage.v1.VolumeNodeResources*',
      'core.v1.PersistentVolumeClaimSpec.volumeAttributesClassName',
      'core.v1.TypedLocalObjectReference*',
      'core.v1.TypedObjectReference*',
      'core.v1.PersistentVolumeClaimSpec.dataSource*',
    ],
  },
  {
    id: 'block-device',
    text: 'Containers have no devices.',
    fields: ['core.v1.VolumeDevice*', 'core.v1.Container.volumeDevices', 'core.v1.EphemeralContainer.volumeDevices'],
  },
  {
    id: 'mount',
    text: 'A container’s files are a tree in memory: there are no mounts that could propagate or be read-only below.',
    fields: ['core.v1.VolumeMount.mountPropagation', 'core.v1.VolumeMount.recursiveReadOnly'],
  },
  {
    id: 'kernel-security',
    text: 'No kernel stands between a simulated process and its node; Pod Security admission still refuses what it must.',
    fields: [
      'core.v1.SELinuxOptions*',
      'core.v1.SeccompProfile*',
      'core.v1.AppArmorProfile*',
      'core.v1.Capabilities*',
      'core.v1.SecurityContext.seLinuxOptions',
      'core.v1.SecurityContext.capabilities',
      'core.v1.SecurityContext.procMount',
      'core.v1.PodSecurityContext.seLinux*',
      'core.v1.PodSecurityContext.fsGroupChangePolicy',
      'core.v1.PodSpec.hostIPC',
      'core.v1.PodSpec.hostUsers',
    ],
  },
  {
    id: 'windows',
    text: 'Nodes are Linux: what only Windows has is ignored, as there.',
    fields: ['core.v1.WindowsSecurityContextOptions*', 'core.v1.*SecurityContext.windowsOptions'],
  },
  {
    id: 'devices',
    text: 'There are no device drivers: claims are never allocated.',
    fields: [
      'resource.v1.*',
      'core.v1.ResourceClaim*',
      'core.v1.PodResourceClaim*',
      'core.v1.ResourceRequirements.claims',
      'core.v1.PodSpec.resourceClaims',
    ],
  },
  {
    id: 'ephemeral-container',
    always: true,
    text: 'Must not be set in an ephemeral container; the type has it because it is shaped like Container.',
    fields: [
      'ports',
      'livenessProbe',
      'readinessProbe',
      'startupProbe',
      'lifecycle',
      'resources',
      'resizePolicy',
      'restartPolicy',
      'restartPolicyRules',
    ].map(field => `core.v1.EphemeralContainer.${field}`),
  },
  {
    id: 'alias',
    text: 'Kept equal to serviceAccountName, which is the one that is read.',
    fields: ['core.v1.PodSpec.serviceAccount'],
  },
  {
    id: 'one-runtime',
    text: 'There is one container runtime, which stands for every handler.',
    fields: ['node.v1.RuntimeClass.handler'],
  },
  {
    id: 'gate',
    text: 'The feature gate is off by default in 1.35: the strategy of the kind drops the field, as upstream’s does.',
    fields: [
      'apps.v1.RollingUpdateStatefulSetStrategy.maxUnavailable',
      'coordination.v1.LeaseSpec.strategy',
      'coordination.v1.LeaseSpec.preferredHolder',
    ],
  },
  {
    id: 'ingress',
    text: 'There is no ingress controller; one that runs in Pods reads it from the API.',
    fields: ['networking.v1.Ingress*', 'networking.v1.HTTPIngress*', 'networking.v1.ServiceBackendPort*'],
  },
  {
    id: 'cloud',
    text: 'There is no cloud that the nodes would be machines of.',
    fields: ['core.v1.NodeSpec.providerID'],
  },
  {
    id: 'for-readers',
    text: 'Written for whoever reads the object; upstream’s components do nothing with it either.',
    fields: [
      'core.v1.ComponentStatus*',
      'core.v1.ComponentCondition*',
      'core.v1.Event.*',
      'events.v1.Event.*',
      'events.v1.EventSeries.*',
      'core.v1.EventSeries.*',
      'core.v1.EventSource.*',
      'scheduling.v1.PriorityClass.description',
      'core.v1.ObjectReference.*',
      'networking.v1.IPAddressSpec.*',
      'networking.v1.ParentReference.*',
      'core.v1.NodeSpec.externalID',
      'discovery.v1.Endpoint.deprecatedTopology',
      'core.v1.PersistentVolumeClaim.*',
      'core.v1.PersistentVolumeClaimStatus*',
      'core.v1.PersistentVolumeClaimCondition*',
      'core.v1.ModifyVolumeStatus*',
      'core.v1.Taint.timeAdded',
      'core.v1.VolumeResourceRequirements.limits',
    ],
  },
];

/** Whether `pattern` stands for the field. */
export function matches(pattern: string, { type, field }: { readonly type: string; readonly field: string }): boolean {
  const full = `${type}.${field}`;
  if (pattern.endsWith('*')) return full.startsWith(pattern.slice(0, -1));
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === full || pattern === type;
  return full.startsWith(pattern.slice(0, star)) && full.endsWith(pattern.slice(star + 1));
}
