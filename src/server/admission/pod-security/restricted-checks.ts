import { addedCapabilities, seccompProfile, type Check } from './baseline-checks.js';
import { containerNames, containersOf, named, plural, setters, sortedSet } from './subject.js';

/** Windows has none of what the check is about. */
export const exceptOnWindows =
  (check: Check): Check =>
  subject =>
    subject.spec.os?.name === 'windows' ? undefined : check(subject);

/** Root within a user namespace of the Pod's own is nobody outside. */
export const exceptInUserNamespace =
  (check: Check): Check =>
  subject =>
    subject.spec.hostUsers === false ? undefined : check(subject);

export const allowPrivilegeEscalation: Check = subject => {
  const bad = containersOf(subject).filter(c => c.securityContext?.allowPrivilegeEscalation !== false);
  return bad.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${containerNames(bad)} must set securityContext.allowPrivilegeEscalation=false`,
      };
};

const BIND_LOW_PORTS = new Set(['NET_BIND_SERVICE']);

export const restrictedCapabilities: Check = subject => {
  const keeping = containersOf(subject).filter(c => c.securityContext?.capabilities?.drop?.includes('ALL') !== true);
  const added = addedCapabilities(subject, BIND_LOW_PORTS);
  const details = [
    ...(keeping.length > 0 ? [`${containerNames(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(added === undefined ? [] : [added]),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const SAFE_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const OTHER_VOLUMES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
];

export const restrictedVolumes: Check = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter(volume => SAFE_VOLUMES.every(type => volume[type] === undefined));
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map(volume => OTHER_VOLUMES.find(type => volume[type] !== undefined) ?? 'unknown'));
  const names = bad.map(({ name }) => name);
  return {
    reason: 'restricted volume types',
    detail: `${named('volume', names)} ${plural(names.length, 'uses', 'use')} ${named('restricted volume type', types)}`,
  };
};

export const runAsNonRoot: Check = subject => {
  const ofPod = subject.spec.securityContext?.runAsNonRoot;
  const all = containersOf(subject);
  const refusing = all.filter(c => c.securityContext?.runAsNonRoot === false);
  const reason = 'runAsNonRoot != true';
  if (ofPod === false || refusing.length > 0)
    return { reason, detail: `${setters(ofPod === false, refusing)} must not set securityContext.runAsNonRoot=false` };
  const silent = ofPod === true ? [] : all.filter(c => c.securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containerNames(silent)} must set securityContext.runAsNonRoot=true` };
};

export const runAsUser: Check = subject => {
  const podDoes = subject.spec.securityContext?.runAsUser === 0;
  const bad = containersOf(subject).filter(c => c.securityContext?.runAsUser === 0);
  if (!podDoes && bad.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${setters(podDoes, bad)} must not set runAsUser=0` };
};

/** A profile must be there; the Pod's holds for containers without one. */
export const requiredSeccompProfile: Check = subject => {
  const bad = seccompProfile(subject);
  if (bad !== undefined) return bad;
  if (subject.spec.securityContext?.seccompProfile !== undefined) return undefined;
  const silent = containersOf(subject).filter(c => c.securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containerNames(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};
