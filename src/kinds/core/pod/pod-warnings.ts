import { quote } from '../../../machinery/go-text.js';
import { path } from '../../../machinery/field-error.js';
import { semanticEqual } from '../../../machinery/json-equal.js';
import type {
  Container as AnyContainer,
  DeepReadonly,
  Pod,
  PodSpec,
  PodTemplateSpec,
} from '../../../machinery/types.js';
import { ipWarnings, list, sortedEntries } from '../../validation/formats.js';
import { isWhole } from '../../validation/quantities.js';
import { APPARMOR_ANNOTATION, appArmorFromAnnotation } from './app-armor.js';
import { DEPRECATED_NODE_LABELS, nodeSelectorTermWarnings } from '../../node-labels.js';
import { portWarnings } from './port-warnings.js';
import { volumeWarnings } from './volume-warnings.js';
import { createRepeatCheck } from '../../../machinery/repeats.js';

type Spec = DeepReadonly<PodSpec>;
type Container = DeepReadonly<AnyContainer>;
type Annotations = Readonly<Record<string, string>>;

interface PlacedContainer {
  readonly container: Container;
  /** E.g. "spec.initContainers[0]". */
  readonly at: string;
}

const containersOf = (spec: Spec, at: string): PlacedContainer[] =>
  (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap(name =>
    list<Container>(spec[name]).map((container, i) => ({
      container,
      at: `${at}.${name}[${i}]`,
    })),
  );

/**
 * Source: pkg/api/pod/warnings.go, whose order this keeps. `owner`: "" for a Pod, or where the template is, e.g.
 * "spec.template".
 */
export function podSpecWarnings(spec: Spec | undefined, owner: string, annotations: Annotations = {}): string[] {
  if (spec === undefined) return [];
  const at = owner === '' ? 'spec' : `${owner}.spec`;
  const meta = owner === '' ? 'metadata.annotations' : `${owner}.metadata.annotations`;
  const containers = containersOf(spec, at);
  const seconds = spec.terminationGracePeriodSeconds ?? 0;
  return [
    ...nodeWarnings(spec, at),
    ...deprecatedAnnotationWarnings(annotations, meta),
    ...volumeWarnings(spec.volumes, at),
    ...duplicateWarnings(spec, at),
    ...['memory', 'ephemeral-storage'].flatMap(name => fractionWarnings(spec.overhead, `${at}.overhead`, name)),
    ...(spec.securityContext?.seccompProfile === undefined && annotations[SECCOMP_POD] !== undefined
      ? [`${meta}[${SECCOMP_POD}]: ${SECCOMP_TEXT}`]
      : []),
    ...containers.flatMap(placed => containerWarnings(placed, spec, annotations, meta, owner !== '')),
    ...portWarnings(
      containers.flatMap(({ container, at: here }) =>
        list(container.ports).map((port, i) => ({ port, at: `${here}.ports[${i}]` })),
      ),
    ),
    ...(seconds < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...podAffinityWarnings(spec, at),
    ...addressWarnings(spec, at),
  ];
}

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const SECCOMP_TEXT = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const NO_SELECTOR = 'a null labelSelector results in matching no pod';

function nodeWarnings(spec: Spec, at: string): string[] {
  const selected = sortedEntries(spec.nodeSelector).flatMap(([key]) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`${at}.nodeSelector[${key}]: ${text}`];
  });
  const affinity = spec.affinity?.nodeAffinity;
  const [needed, wanted] = ['required', 'preferred'].map(
    how => `${at}.affinity.nodeAffinity.${how}DuringSchedulingIgnoredDuringExecution`,
  );
  const required = list(affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms);
  const preferred = list(affinity?.preferredDuringSchedulingIgnoredDuringExecution);
  const spread = list(spec.topologySpreadConstraints).flatMap(({ topologyKey, labelSelector }, i) => {
    const here = `${at}.topologySpreadConstraints[${i}]`;
    const text = DEPRECATED_NODE_LABELS[topologyKey];
    return [
      ...(text === undefined ? [] : [`${here}.topologyKey: ${topologyKey} is ${text}`]),
      ...(labelSelector === undefined ? [`${here}.labelSelector: ${NO_SELECTOR}`] : []),
    ];
  });
  return [
    ...selected,
    ...required.flatMap((term, i) => nodeSelectorTermWarnings(term, `${needed}.nodeSelectorTerms[${i}]`)),
    ...preferred.flatMap((term, i) => nodeSelectorTermWarnings(term.preference, `${wanted}[${i}].preference`, true)),
    ...spread,
  ];
}

const DEPRECATED_ANNOTATIONS: readonly (readonly [string, string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
];

const deprecatedAnnotationWarnings = (annotations: Annotations, meta: string): string[] =>
  DEPRECATED_ANNOTATIONS.flatMap(([key, text]) => (annotations[key] === undefined ? [] : [`${meta}[${key}]: ${text}`]));

function duplicateWarnings(spec: Spec, at: string): string[] {
  const again = (values: readonly string[], warn: (value: string, i: number) => string): string[] =>
    values.map(createRepeatCheck<string>()).flatMap((repeated, i) => (repeated ? [warn(values[i] ?? '', i)] : []));
  const secrets = list(spec.imagePullSecrets).map(({ name = '' }) => name);
  return [
    ...again(
      list(spec.hostAliases).map(({ ip = '' }) => ip),
      (ip, i) => `${at}.hostAliases[${i}].ip: duplicate ip ${quote(ip)}`,
    ),
    ...again(secrets, (name, i) => `${at}.imagePullSecrets[${i}].name: duplicate name ${quote(name)}`),
    ...secrets.flatMap((name, i) =>
      name === '' ? [`${at}.imagePullSecrets[${i}].name: invalid empty name ${quote(name)}`] : [],
    ),
  ];
}

function fractionWarnings(resources: Annotations | undefined, at: string, name: string): string[] {
  const value = resources?.[name];
  if (value === undefined || isWhole(value)) return [];
  return [`${at}[${name}]: fractional byte value ${quote(value)} is invalid, must be an integer`];
}

function containerWarnings(
  { container, at }: PlacedContainer,
  spec: Spec,
  annotations: Annotations,
  meta: string,
  inTemplate: boolean,
): string[] {
  const out: string[] = [];
  const { securityContext, resources } = container;
  const seccomp = `${SECCOMP_CONTAINER}${container.name}`;
  if (securityContext?.seccompProfile === undefined && annotations[seccomp] !== undefined)
    out.push(`${meta}[${seccomp}]: ${SECCOMP_TEXT}`);
  const appArmor = `${APPARMOR_ANNOTATION}${container.name}`;
  const profile = annotations[appArmor];
  // A Pod's annotation is turned into the field, which warns of it.
  if (inTemplate && profile !== undefined && securityContext?.appArmorProfile === undefined) {
    const own = spec.securityContext?.appArmorProfile;
    if (own === undefined || !semanticEqual(own, appArmorFromAnnotation(profile)))
      out.push(`${meta}[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
  for (const name of ['memory', 'ephemeral-storage'])
    for (const which of ['limits', 'requests'] as const)
      for (const one of fractionWarnings(resources?.[which], `${at}.resources.${which}`, name)) out.push(one);
  const names = new Set<string>();
  list(container.env).forEach(({ name, value = '', valueFrom }, i) => {
    const reference = `$(${name})`;
    if (names.has(name) && (valueFrom !== undefined || value === reference || !value.includes(reference)))
      out.push(`${at}.env[${i}]: hides previous definition of ${quote(name)}, which may be dropped when using apply`);
    names.add(name);
  });
  return out;
}

function podAffinityWarnings(spec: Spec, at: string): string[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap(kind => {
    const affinity = spec.affinity?.[kind];
    const required = 'requiredDuringSchedulingIgnoredDuringExecution';
    const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
    const here = `${at}.affinity.${kind}`;
    return [
      ...list(affinity?.[required]).flatMap((term, i) =>
        term.labelSelector === undefined ? [`${here}.${required}[${i}].labelSelector: ${NO_SELECTOR}`] : [],
      ),
      ...list(affinity?.[preferred]).flatMap((term, i) =>
        term.podAffinityTerm.labelSelector === undefined
          ? [`${here}.${preferred}[${i}].podAffinityTerm.labelSelector: ${NO_SELECTOR}`]
          : [],
      ),
    ];
  });
}

const addressWarnings = (spec: Spec, at: string): string[] => [
  ...list(spec.dnsConfig?.nameservers).flatMap((server, i) =>
    ipWarnings(path(at, 'dnsConfig', 'nameservers').index(i), server),
  ),
  ...list(spec.hostAliases).flatMap(({ ip = '' }, i) => ipWarnings(path(at, 'hostAliases').index(i).child('ip'), ip)),
];

/** Of the addresses that a status says. */
export const podIpWarnings = ({ status }: DeepReadonly<Pod>): string[] =>
  (['podIPs', 'hostIPs'] as const).flatMap(field =>
    list(status?.[field]).flatMap(({ ip = '' }, i) => ipWarnings(path('status', field).index(i).child('ip'), ip)),
  );

/** Warnings of a workload's template at `at`, when it is new or has changed. */
export const changedTemplateWarnings = (
  template: DeepReadonly<PodTemplateSpec> | undefined,
  old: { readonly template: DeepReadonly<PodTemplateSpec> | undefined } | undefined,
  at = 'spec.template',
): string[] =>
  old !== undefined && semanticEqual(template, old.template)
    ? []
    : podSpecWarnings(template?.spec, at, template?.metadata?.annotations);
