import { semanticEqual } from '../../machinery/json-equal.js';
import { sortedEntries } from '../validation/formats.js';
import type { DeepReadonly, PodSpec, PodTemplateSpec } from '../../machinery/types.js';

type Spec = DeepReadonly<PodSpec>;

/** Source: pkg/api/pod/warnings.go, for what still exists in 1.35. `at`: "spec" or "spec.template.spec". */
export function podSpecWarnings(
  spec: Spec | undefined,
  at: string,
  annotations: Readonly<Record<string, string>> | undefined,
): string[] {
  if (spec === undefined) return [];
  return [
    ...nodeSelectorWarnings(spec, at),
    ...duplicateWarnings(spec, at),
    ...containerWarnings(spec, at),
    ...podWideWarnings(spec, at),
    ...annotationWarnings(at, annotations),
  ];
}

/** Warnings about the template of a workload at spec.template. */
export const templateWarnings = (template: DeepReadonly<PodTemplateSpec> | undefined): string[] =>
  podSpecWarnings(template?.spec, 'spec.template.spec', template?.metadata?.annotations);

/** Labels of nodes that have newer names. */
export const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

function nodeSelectorWarnings(spec: Spec, at: string): string[] {
  return sortedEntries(spec.nodeSelector).flatMap(([key]) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`${at}.nodeSelector[${key}]: ${text}`];
  });
}

function duplicateWarnings(spec: Spec, at: string): string[] {
  const out: string[] = [];
  (spec.imagePullSecrets ?? []).forEach(({ name }, i) => {
    if (!name) out.push(`${at}.imagePullSecrets[${i}].name: invalid empty name ${JSON.stringify(name ?? '')}`);
    else if ((spec.imagePullSecrets ?? []).findIndex(other => other.name === name) < i)
      out.push(`${at}.imagePullSecrets[${i}].name: duplicate name ${JSON.stringify(name)}`);
  });
  const seen = new Set<string>();
  (spec.hostAliases ?? []).forEach(({ ip = '' }, i) => {
    if (seen.has(ip)) out.push(`${at}.hostAliases[${i}].ip: duplicate ip ${JSON.stringify(ip)}`);
    seen.add(ip);
  });
  return out;
}

type Container = Spec['containers'][number];

function resourceWarnings(container: Container, at: string): string[] {
  const out: string[] = [];
  for (const list of ['limits', 'requests'] as const)
    for (const [name, value] of sortedEntries(container.resources?.[list])) {
      const fractional = (name === 'memory' || name === 'ephemeral-storage' || name === 'storage') && /m$/.test(value);
      if (fractional)
        out.push(
          `${at}.resources.${list}[${name}]: fractional byte value ${JSON.stringify(value)} is invalid, must be an integer`,
        );
    }
  return out;
}

function containerWarnings(spec: Spec, at: string): string[] {
  const out: string[] = [];
  for (const list of ['initContainers', 'containers'] as const) {
    (spec[list] ?? []).forEach((container, i) => {
      const here = `${at}.${list}[${i}]`;
      const env = new Set<string>();
      (container.env ?? []).forEach((variable, j) => {
        if (env.has(variable.name) && !(variable.value ?? '').includes(`$(${variable.name})`))
          out.push(
            `${here}.env[${j}]: hides previous definition of ${JSON.stringify(variable.name)}, which may be dropped when using apply`,
          );
        env.add(variable.name);
      });
      out.push(...resourceWarnings(container, here));
    });
  }
  out.push(...portWarnings(spec, at));
  return out;
}

function portWarnings(spec: Spec, at: string): string[] {
  const out: string[] = [];
  const seen = new Map<string, string>();
  (spec.containers ?? []).forEach((container, i) => {
    (container.ports ?? []).forEach((port, j) => {
      const here = `${at}.containers[${i}].ports[${j}]`;
      const key = `${port.containerPort}/${port.protocol}/${port.hostPort ?? 0}/${port.hostIP ?? ''}`;
      const first = seen.get(key);
      if (first !== undefined) out.push(`${here}: duplicate port definition with ${first}`);
      else seen.set(key, here);
    });
  });
  return out;
}

function podWideWarnings(spec: Spec, at: string): string[] {
  const out: string[] = [];
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    out.push(`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`);
  (spec.volumes ?? []).forEach((volume, i) => {
    const here = `${at}.volumes[${i}]`;
    for (const [source, text] of sortedEntries(DEPRECATED_VOLUMES))
      if (volume[source as keyof typeof volume] !== undefined) out.push(`${here}.${source}: ${text}`);
  });
  (spec.topologySpreadConstraints ?? []).forEach((constraint, i) => {
    if (constraint.labelSelector === undefined)
      out.push(`${at}.topologySpreadConstraints[${i}].labelSelector: a null labelSelector results in matching no pod`);
  });
  return out;
}

const DEPRECATED_VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

function annotationWarnings(at: string, annotations: Readonly<Record<string, string>> | undefined): string[] {
  const meta = at.replace(/\.?spec$/, '');
  const prefix = meta === '' ? 'metadata' : `${meta}.metadata`;
  return sortedEntries(annotations).flatMap(([key]) => {
    if (key === 'seccomp.security.alpha.kubernetes.io/pod')
      return [`${prefix}.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`];
    if (key.startsWith('container.seccomp.security.alpha.kubernetes.io/'))
      return [`${prefix}.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`];
    if (key.startsWith('container.apparmor.security.beta.kubernetes.io/'))
      return [`${prefix}.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`];
    return [];
  });
}

/** Warnings of a workload's template, when it is new or has changed. */
export const changedTemplateWarnings = (
  template: DeepReadonly<PodTemplateSpec> | undefined,
  old: { readonly template: DeepReadonly<PodTemplateSpec> | undefined } | undefined,
): string[] => (old !== undefined && semanticEqual(template, old.template) ? [] : templateWarnings(template));
