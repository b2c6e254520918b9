import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/root.js';

/** Of a folder and those below it. */
const everyFile = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort()
    .map(name => `${folder}/${name}`);

/** Files that read fields of these types as plain JSON, where the type checker does not see it. The first that says a field's name counts. */
export const plainReaders: readonly { readonly types: readonly string[]; readonly files: readonly string[] }[] = [
  {
    types: [
      'authorization.v1.*',
      'authentication.v1.*',
      'meta.v1.FieldSelectorRequirement',
      'meta.v1.LabelSelectorRequirement',
    ],
    files: [
      'src/kinds/authorization/reviews.ts',
      'src/kinds/authorization/access-selectors.ts',
      'src/kinds/core/service-account.ts',
    ],
  },
  {
    types: ['rbac.v1.*'],
    files: [
      'src/server/auth/rbac/rule-resolver.ts',
      'src/server/auth/rbac/rules.ts',
      'src/server/auth/rbac/escalation.ts',
      'src/kinds/rbac/rbac.ts',
    ],
  },
  {
    types: ['core.v1.LimitRange', 'core.v1.LimitRangeSpec', 'core.v1.LimitRangeItem'],
    files: ['src/server/admission/limit-ranger.ts'],
  },
  {
    types: ['core.v1.ResourceQuotaSpec', 'core.v1.ScopeSelector', 'core.v1.ScopedResourceSelectorRequirement'],
    files: ['src/machinery/quota/scopes.ts', 'src/machinery/quota/usage.ts', 'src/server/admission/resource-quota.ts'],
  },
  {
    types: ['apiregistration.v1.*'],
    files: ['src/server/aggregation/api-service.ts', 'src/server/aggregation/table.ts'],
  },
  {
    types: ['flowcontrol.v1.*'],
    files: [
      'src/server/flow-control/configuration.ts',
      'src/server/flow-control/match.ts',
      'src/server/flow-control/allocation.ts',
      'src/server/flow-control/queue-set.ts',
      'src/server/flow-control/level.ts',
      'src/server/flow-control/create.ts',
      'src/server/flow-control/types.ts',
    ],
  },
  {
    types: ['apiextensions.v1.*'],
    files: [
      'src/server/custom-resources/definition.ts',
      'src/server/custom-resources/entries.ts',
      'src/server/custom-resources/names.ts',
      'src/server/custom-resources/scale.ts',
      'src/server/conversion/conversion-webhook.ts',
      'src/server/conversion/definition-converter.ts',
      ...everyFile('src/api/structural'),
      ...everyFile('src/kinds/apiextensions'),
      ...everyFile('src/server/custom-resources'),
    ],
  },
  {
    types: ['admissionregistration.v1.*'],
    files: [
      ...everyFile('src/server/admission/webhooks'),
      ...everyFile('src/server/admission/matching'),
      ...everyFile('src/server/admission/policies'),
      ...everyFile('src/server/webhook-client'),
      ...everyFile('src/kinds/admissionregistration'),
    ],
  },
  { types: ['node.v1.*', 'scheduling.v1.*'], files: ['src/server/admission/pod-scheduling.ts'] },
  { types: ['core.v1.Event', 'events.v1.Event'], files: ['src/kinds/core/event.ts'] },
  { types: ['core.v1.Binding', 'core.v1.ObjectReference'], files: ['src/kinds/core/pod/pod-actions.ts'] },
  {
    types: ['certificates.v1.*'],
    files: [
      'src/controllers/certificates/controllers.ts',
      'src/controllers/certificates/request.ts',
      'src/server/admission/certificates.ts',
      'src/kinds/certificates/certificate-signing-request.ts',
    ],
  },
  { types: ['core.v1.HostPathVolumeSource'], files: ['src/nodeagent/pods/volumes/host-path.ts'] },
  { types: ['policy.v1.PodDisruptionBudgetSpec'], files: ['src/kinds/core/pod/pod-actions.ts'] },
  { types: ['storage.v1.StorageClass'], files: ['src/server/admission/storage.ts'] },
  { types: ['core.v1.ReplicationControllerSpec'], files: ['src/controllers/replicationcontroller/controller.ts'] },
  { types: ['core.v1.ConfigMap', 'core.v1.Secret'], files: ['src/kinds/core/config.ts'] },
  { types: ['networking.v1.NetworkPolicyPort'], files: ['src/dataplane/policies/port-set.ts'] },
  { types: ['networking.v1.IPBlock'], files: ['src/dataplane/policies/address-set.ts'] },
  { types: ['networking.v1.NetworkPolicy*'], files: ['src/dataplane/policies/compile-policy.ts'] },
  {
    types: ['networking.v1.ServiceCIDR*', 'networking.v1.IPAddress*'],
    files: ['src/kinds/networking/ip-address.ts', 'src/server/bootstrap/bootstrap.ts'],
  },
  {
    types: [
      'core.v1.VolumeProjection',
      'core.v1.KeyToPath',
      'core.v1.SecretProjection',
      'core.v1.ConfigMapProjection',
      'core.v1.SecretVolumeSource',
      'core.v1.ConfigMapVolumeSource',
    ],
    files: [
      'src/nodeagent/pods/volumes/projection.ts',
      'src/nodeagent/pods/volumes/key-files.ts',
      'src/nodeagent/pods/sources.ts',
    ],
  },
  {
    types: [
      'core.v1.DownwardAPIVolumeSource',
      'core.v1.DownwardAPIProjection',
      'core.v1.DownwardAPIVolumeFile',
      'core.v1.ObjectFieldSelector',
      'core.v1.ResourceFieldSelector',
    ],
    files: ['src/nodeagent/pods/volumes/downward-files.ts', 'src/nodeagent/pods/volumes/projection.ts'],
  },
  {
    types: ['core.v1.ServiceAccountTokenProjection'],
    files: ['src/nodeagent/pods/volumes/token-file.ts', 'src/nodeagent/pods/sources.ts'],
  },
  {
    types: [
      'core.v1.PodSpec',
      'core.v1.PodSecurityContext',
      'core.v1.SecurityContext',
      'core.v1.SELinuxOptions',
      'core.v1.Capabilities',
      'core.v1.SeccompProfile',
      'core.v1.AppArmorProfile',
      'core.v1.WindowsSecurityContextOptions',
    ],
    files: [
      'src/server/admission/pod-security/baseline-checks.ts',
      'src/server/admission/pod-security/restricted-checks.ts',
    ],
  },
  { types: ['core.v1.GRPCAction'], files: ['src/nodeagent/probes/probe.ts'] },
  {
    types: ['core.v1.PodAffinityTerm', 'core.v1.WeightedPodAffinityTerm'],
    files: [
      'src/controllers/scheduler/pod-info.ts',
      'src/controllers/scheduler/plugins/inter-pod-affinity.ts',
      'src/kinds/core/pod/pod.ts',
    ],
  },
  { types: ['core.v1.Volume'], files: ['src/server/admission/pod-security/restricted-checks.ts'] },
  { types: ['storage.v1.CSIDriverSpec', 'storage.v1.TokenRequest'], files: ['src/server/admission/node-token.ts'] },
  { types: ['autoscaling.v1.*', 'autoscaling.v2.*'], files: ['src/kinds/autoscaling/hpa-v1.ts'] },
];

/** The agent runs what is in one type through the code of another. */
export const sameCode: Readonly<Record<string, string>> = {
  'core.v1.EphemeralContainer': 'Container',
  'core.v1.PersistentVolumeClaimTemplate': 'PersistentVolumeClaim',
  'autoscaling.v1.CrossVersionObjectReference': 'CrossVersionObjectReference',
};
