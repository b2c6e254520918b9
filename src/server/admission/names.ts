/** Plugins that are on unless they are disabled. */
export const SERVED_PLUGINS: readonly string[] = [
  'NamespaceLifecycle',
  'LimitRanger',
  'ServiceAccount',
  'NodeRestriction',
  'TaintNodesByCondition',
  'PodSecurity',
  'Priority',
  'DefaultTolerationSeconds',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'PodTopologyLabels',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
];

/** kube-apiserver's others, which cannot be enabled here. */
const OTHER_PLUGINS: readonly string[] = [
  'AlwaysAdmit',
  'NamespaceAutoProvision',
  'NamespaceExists',
  'LimitPodHardAntiAffinityTopology',
  'AlwaysPullImages',
  'ImagePolicyWebhook',
  'PodNodeSelector',
  'PodTolerationRestriction',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'OwnerReferencesPermissionEnforcement',
  'ClusterTrustBundleAttest',
  'DenyServiceExternalIPs',
  'NodeDeclaredFeatureValidator',
  'MutatingAdmissionPolicy',
  'ValidatingAdmissionPolicy',
  'AlwaysDeny',
];

/** What is wrong with lists of plugins to enable and to disable; undefined: nothing. */
export function pluginListProblem(enabled: readonly string[], disabled: readonly string[]): string | undefined {
  const lists = [
    ['enable-admission-plugins', enabled],
    ['disable-admission-plugins', disabled],
  ] as const;
  for (const [flag, names] of lists)
    for (const name of names)
      if (!SERVED_PLUGINS.includes(name) && !OTHER_PLUGINS.includes(name)) return `${flag} plugin "${name}" is unknown`;
  const both = enabled.filter(name => disabled.includes(name));
  if (both.length > 0)
    return `[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`;
  const missing = enabled.find(name => !SERVED_PLUGINS.includes(name));
  return missing === undefined ? undefined : `--enable-admission-plugins: ${missing} is not supported`;
}
