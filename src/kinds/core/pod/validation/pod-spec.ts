import { duplicate, invalid, notFound, notSupported, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { checkContainers, checkInitContainers } from './containers.js';
import { checkEphemeralContainers } from './ephemeral-containers.js';
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkIp,
  checkLabels,
  checkQualifiedName,
} from '../../../validation/formats.js';
import { checkPodResources } from './pod-resources.js';
import { checkResourceRequirements, podClaims, type PodClaims } from './resources.js';
import { checkAffinity, checkTolerations, checkTopologySpread } from './scheduling.js';
import { checkOperatingSystem, checkPodSecurityContext } from './security.js';
import { checkVolumes } from './volumes.js';
import { CONTAINER_LISTS, type ContainerContext } from './container-context.js';
import { checkDnsConfig } from './pod-dns.js';
import { checkHostNetwork, checkHostnameOverride, checkHostUsers, checkWindowsHostProcess } from './pod-host.js';

type Spec = DeepReadonly<PodSpec>;
const MAX_INT32 = 2 ** 31 - 1;

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];

function checkChoice(out: FieldError[], at: FieldPath, value: string | undefined, allowed: readonly string[]): void {
  if (!value) out.push(required(at));
  else if (!allowed.includes(value)) out.push(notSupported(at, value, allowed));
}

export const checkPreemptionPolicy = (out: FieldError[], at: FieldPath, policy: string): void =>
  checkChoice(out, at, policy, PREEMPTION_POLICIES);

function checkClaims(out: FieldError[], at: FieldPath, claims: Spec['resourceClaims']): PodClaims {
  const names = new Set<string>();
  (claims ?? []).forEach((claim, i) => {
    const item = at.index(i);
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (!name) out.push(required(item.child('name')));
    else if (names.has(name)) out.push(duplicate(item.child('name'), name));
    else {
      checkDnsLabel(out, item.child('name'), name);
      names.add(name);
    }
    const shown = {
      Name: name,
      ResourceClaimName: resourceClaimName ?? null,
      ResourceClaimTemplateName: resourceClaimTemplateName ?? null,
    };
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const text = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      out.push(invalid(item, shown, text));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      out.push(invalid(item, shown, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    if (resourceClaimName !== undefined) checkDnsSubdomain(out, item.child('resourceClaimName'), resourceClaimName);
    if (resourceClaimTemplateName !== undefined)
      checkDnsSubdomain(out, item.child('resourceClaimTemplateName'), resourceClaimTemplateName);
  });
  return podClaims(names);
}

/** Variables read from a file: of a volume that an init container can write and the kubelet can read. */
function checkFileKeyVolumes(out: FieldError[], at: FieldPath, spec: Spec): void {
  // Of equal names the last one counts.
  const volumes = new Map((spec.volumes ?? []).map(volume => [volume.name, volume]));
  for (const list of CONTAINER_LISTS)
    (spec[list] ?? []).forEach((container, i) => {
      (container.env ?? []).forEach((env, j) => {
        const name = env.valueFrom?.fileKeyRef?.volumeName;
        if (name === undefined) return;
        const field = at.child(list).index(i).child('env').index(j).child('valueFrom', 'fileKeyRef', 'volumeName');
        const volume = volumes.get(name);
        if (volume === undefined) out.push(notFound(field, name));
        else if (volume.emptyDir === undefined)
          out.push(invalid(field, name, 'referenced volume must be of type emptyDir'));
      });
    });
}

function checkNames(out: FieldError[], at: FieldPath, spec: Spec): void {
  if (spec.serviceAccountName) checkDnsSubdomain(out, at.child('serviceAccountName'), spec.serviceAccountName);
  if (spec.nodeName) checkDnsSubdomain(out, at.child('nodeName'), spec.nodeName);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > MAX_INT32))
    out.push(invalid(at.child('activeDeadlineSeconds'), deadline, `must be between 1 and ${MAX_INT32}, inclusive`));
  if (spec.hostname) checkDnsLabel(out, at.child('hostname'), spec.hostname);
  if (spec.subdomain) checkDnsLabel(out, at.child('subdomain'), spec.subdomain);
  checkTolerations(out, at.child('tolerations'), spec.tolerations);
  (spec.hostAliases ?? []).forEach((alias, i) => {
    const item = at.child('hostAliases').index(i);
    checkIp(out, item.child('ip'), alias.ip ?? '');
    (alias.hostnames ?? []).forEach((name, j) => checkDnsSubdomain(out, item.child('hostnames').index(j), name));
  });
  if (spec.priorityClassName) checkDnsSubdomain(out, at.child('priorityClassName'), spec.priorityClassName);
  if (spec.runtimeClassName !== undefined) checkDnsSubdomain(out, at.child('runtimeClassName'), spec.runtimeClassName);
  if (spec.preemptionPolicy !== undefined)
    checkPreemptionPolicy(out, at.child('preemptionPolicy'), spec.preemptionPolicy);
}

/** `podName`: metadata.name when the spec belongs to a real Pod. Errors come in upstream's order. */
export function checkPodSpec(
  out: FieldError[],
  at: FieldPath,
  spec: Spec,
  options: { readonly isPod: boolean; readonly podName?: string | undefined },
): void {
  if (spec.terminationGracePeriodSeconds === undefined) out.push(required(at.child('terminationGracePeriodSeconds')));
  const { isPod } = options;
  const volumes = checkVolumes(out, at.child('volumes'), spec.volumes, { isPod, podName: options.podName });
  const claims = checkClaims(out, at.child('resourceClaims'), spec.resourceClaims);
  const ctx: ContainerContext = { spec, volumes, claims, isPod };
  checkContainers(out, at.child('containers'), ctx);
  checkInitContainers(out, at.child('initContainers'), ctx);
  checkEphemeralContainers(out, at.child('ephemeralContainers'), ctx);
  checkPodResources(out, at.child('resources'), spec, claims);
  checkHostNetwork(out, at, spec, isPod);
  checkChoice(out, at.child('restartPolicy'), spec.restartPolicy, RESTART_POLICIES);
  checkChoice(out, at.child('dnsPolicy'), spec.dnsPolicy, DNS_POLICIES);
  checkLabels(out, at.child('nodeSelector'), spec.nodeSelector);
  checkPodSecurityContext(out, at.child('securityContext'), spec.securityContext, spec);
  checkAffinity(out, at.child('affinity'), spec.affinity);
  checkDnsConfig(out, at.child('dnsConfig'), spec.dnsConfig, spec.dnsPolicy);
  (spec.readinessGates ?? []).forEach((gate, i) =>
    checkQualifiedName(out, at.child('readinessGates').index(i).child('conditionType'), gate.conditionType ?? ''),
  );
  const gates = new Set<string>();
  (spec.schedulingGates ?? []).forEach((gate, i) => {
    const item = at.child('schedulingGates').index(i);
    checkQualifiedName(out, item, gate.name ?? '');
    if (gates.has(gate.name)) out.push(duplicate(item, gate.name));
    gates.add(gate.name);
  });
  checkTopologySpread(out, at.child('topologySpreadConstraints'), spec.topologySpreadConstraints);
  checkWindowsHostProcess(out, at, spec);
  checkHostUsers(out, at, spec);
  checkHostnameOverride(out, at, spec);
  checkNames(out, at, spec);
  if (spec.overhead !== undefined) checkResourceRequirements(out, at.child('overhead'), { limits: spec.overhead });
  checkOperatingSystem(out, at, spec);
  checkFileKeyVolumes(out, at, spec);
}
