import {
  duplicate,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooLong,
} from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import { goLength } from '../../../../machinery/go-text.js';
import type { DeepReadonly, ObjectMeta, PodSpec, PodTemplateSpec } from '../../../../machinery/types.js';
import {
  checkContainers,
  checkEphemeralContainers,
  checkInitContainers,
  checkPodImages,
  type ContainerContext,
} from './containers.js';
import {
  checkAnnotations,
  checkDnsLabel,
  checkDnsSubdomain,
  checkDnsSubdomainWithUnderscore,
  checkIp,
  checkLabels,
  checkQualifiedName,
  sortedEntries,
} from '../../../validation/formats.js';
import { checkPodResources } from './pod-resources.js';
import { checkResourceRequirements, podClaims, type PodClaims } from './resources.js';
import { checkAffinity, checkTolerations, checkTopologySpread } from './scheduling.js';
import { checkOperatingSystem, checkPodSecurityContext } from './security.js';
import { checkVolumes } from './volumes.js';

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

/** libc's limits. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARS = 2048;

function checkDnsConfig(out: FieldError[], at: FieldPath, config: Spec['dnsConfig'], policy: string | undefined): void {
  const nameservers = config?.nameservers ?? [];
  if (policy === 'None') {
    if (config === undefined) return void out.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    if (nameservers.length === 0) {
      const text = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return void out.push(required(at.child('nameservers'), text));
    }
  }
  if (config === undefined) return;
  if (nameservers.length > MAX_NAMESERVERS)
    out.push(invalid(at.child('nameservers'), nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`));
  nameservers.forEach((server, i) => checkIp(out, at.child('nameservers').index(i), server));
  const searches = config.searches ?? [];
  const field = at.child('searches');
  if (searches.length > MAX_SEARCHES)
    out.push(invalid(field, searches, `must not have more than ${MAX_SEARCHES} search paths`));
  if (searches.join(' ').length > MAX_SEARCH_CHARS) {
    const text = `must not have more than ${MAX_SEARCH_CHARS} characters (including spaces) in the search list`;
    out.push(invalid(field, searches, text));
  }
  searches.forEach((search, i) => {
    if (search !== '.') checkDnsSubdomainWithUnderscore(out, field.index(i), search.replace(/\.$/, ''));
  });
  (config.options ?? []).forEach((option, i) => {
    if (!option.name) out.push(required(at.child('options').index(i), 'must not be empty'));
  });
}

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

function checkHostNetwork(out: FieldError[], at: FieldPath, spec: Spec, isPod: boolean): void {
  if (spec.hostNetwork !== true) return;
  (spec.containers ?? []).forEach((container, i) => {
    (container.ports ?? []).forEach((port, j) => {
      const hostPort = port.hostPort ?? 0;
      if ((isPod || hostPort !== 0) && hostPort !== port.containerPort) {
        const field = at.child('containers').index(i).child('ports').index(j).child('hostPort');
        out.push(invalid(field, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
      }
    });
  });
}

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

function checkHostUsers(out: FieldError[], at: FieldPath, spec: Spec): void {
  if (spec.hostUsers !== false) return;
  const text = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) out.push(forbidden(at.child('hostNetwork'), text));
  if (spec.hostPID === true) out.push(forbidden(at.child('HostPID'), text));
  if (spec.hostIPC === true) out.push(forbidden(at.child('HostIPC'), text));
  for (const list of CONTAINER_LISTS)
    (spec[list] ?? []).forEach((container, i) => {
      if ((container.volumeDevices ?? []).length > 0)
        out.push(forbidden(at.child(list).index(i).child('volumeDevices'), text));
    });
}

/** Linux lets no host name be longer. */
const MAX_HOSTNAME = 64;

function checkHostnameOverride(out: FieldError[], at: FieldPath, spec: Spec): void {
  const name = spec.hostnameOverride;
  if (name === undefined) return;
  const field = at.child('hostnameOverride');
  if (spec.setHostnameAsFQDN === true)
    out.push(forbidden(field, 'may not be specified when setHostnameAsFQDN is true'));
  if (spec.hostNetwork === true) out.push(forbidden(field, 'may not be specified when hostNetwork is true'));
  if (goLength(name) > MAX_HOSTNAME) out.push(tooLong(field, MAX_HOSTNAME));
  checkDnsSubdomain(out, field, name);
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

function checkWindowsHostProcess(out: FieldError[], at: FieldPath, spec: Spec): void {
  const pod = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let host = 0;
  for (const list of CONTAINER_LISTS) {
    (spec[list] ?? []).forEach((container, i) => {
      all++;
      const own = container.securityContext?.windowsOptions?.hostProcess;
      if (pod !== undefined && own !== undefined && pod !== own) {
        const field = at.child(list).index(i).child('securityContext', 'windowsOptions', 'hostProcess');
        out.push(invalid(field, own, `pod hostProcess value must be identical if both are specified, was ${pod}`));
      }
      if (own ?? pod ?? false) host++;
    });
  }
  if (host === 0) return;
  if (host !== all) {
    const text = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    out.push(invalid(at, '', text));
  }
  if (spec.hostNetwork !== true) {
    const text = 'hostNetwork must be true if pod contains any hostProcess containers';
    out.push(invalid(at.child('hostNetwork'), false, text));
  }
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

const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

function checkSeccompAnnotation(out: FieldError[], at: FieldPath, value: string): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(value) || value.startsWith('localhost/')) return;
  out.push(invalid(at, value, 'must be a valid seccomp profile'));
}

/** Annotations that mean something to Pods. */
export function checkPodAnnotations(
  out: FieldError[],
  at: FieldPath,
  annotations: ObjectMeta['annotations'] | Readonly<Record<string, string>>,
  spec: Spec,
): void {
  if (annotations === undefined) return;
  const mirror = annotations[MIRROR];
  if (mirror !== undefined && !spec.nodeName)
    out.push(invalid(at.key(MIRROR), mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  const cost = annotations[DELETION_COST];
  if (
    cost !== undefined &&
    (!/^(0|-?[1-9]\d{0,9})$/.test(cost) || Number(cost) > MAX_INT32 || Number(cost) < -MAX_INT32 - 1)
  )
    out.push(invalid(at.key(DELETION_COST), cost, 'must be a 32bit integer'));
  for (const [key, value] of sortedEntries(annotations))
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) checkSeccompAnnotation(out, at.child(key), value);
}

/** The template of a workload, at `spec.template`. */
export function checkPodTemplate(out: FieldError[], at: FieldPath, template: DeepReadonly<PodTemplateSpec>): void {
  const spec = template.spec ?? ({} as Spec);
  checkPodTemplateMetadata(out, at, template);
  checkPodSpec(out, at.child('spec'), spec, { isPod: false });
  if ((spec.ephemeralContainers ?? []).length > 0)
    out.push(forbidden(at.child('spec', 'ephemeralContainers'), 'ephemeral containers not allowed in pod template'));
}

export function checkPodTemplateMetadata(
  out: FieldError[],
  at: FieldPath,
  { metadata, spec = {} as Spec }: DeepReadonly<PodTemplateSpec>,
): void {
  checkLabels(out, at.child('labels'), metadata?.labels);
  checkAnnotations(out, at.child('annotations'), metadata?.annotations);
  checkPodAnnotations(out, at.child('annotations'), metadata?.annotations, spec);
}

/** Rules of a Pod that a template does not have. */
export function checkPodOnly(out: FieldError[], at: FieldPath, spec: Spec): void {
  if (!spec.serviceAccountName) {
    (spec.volumes ?? []).forEach((volume, i) => {
      (volume.projected?.sources ?? []).forEach((source, j) => {
        if (source.serviceAccountToken === undefined) return;
        const field = at.child('volumes').index(i).child('projected', 'sources').index(j).child('serviceAccountToken');
        out.push(forbidden(field, 'must not be specified when serviceAccountName is not set'));
      });
    });
  }
  checkPodImages(out, at.child('containers'), spec.containers ?? []);
  checkPodImages(out, at.child('initContainers'), spec.initContainers ?? []);
}
