import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';

/** The parts of Pods that the standards speak of. */
interface SeLinux {
  readonly type?: string;
  readonly user?: string;
  readonly role?: string;
}
export interface SecurityContext {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly procMount?: string;
  readonly appArmorProfile?: { readonly type: string };
  readonly seccompProfile?: { readonly type: string };
  readonly seLinuxOptions?: SeLinux;
  readonly windowsOptions?: { readonly hostProcess?: boolean };
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly sysctls?: readonly { readonly name: string }[];
}
interface Handler {
  readonly httpGet?: { readonly host?: string };
  readonly tcpSocket?: { readonly host?: string };
}
export interface SecuredContainer {
  readonly name: string;
  readonly image?: string;
  readonly securityContext?: SecurityContext;
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly livenessProbe?: Handler;
  readonly readinessProbe?: Handler;
  readonly startupProbe?: Handler;
  readonly lifecycle?: { readonly postStart?: Handler; readonly preStop?: Handler };
}
export interface SecuredSpec {
  readonly securityContext?: SecurityContext;
  readonly initContainers?: readonly SecuredContainer[];
  readonly containers?: readonly SecuredContainer[];
  readonly ephemeralContainers?: readonly SecuredContainer[];
  readonly volumes?: readonly ({ readonly name: string } & Readonly<Record<string, unknown>>)[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostUsers?: boolean;
  readonly os?: { readonly name: string };
}

/** A Pod, or the template of one. */
export interface Subject {
  readonly metadata: DeepReadonly<KubeObject['metadata']>;
  readonly spec: SecuredSpec;
}

export const containersOf = ({ spec }: Subject): readonly SecuredContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** Why a check does not pass: in short, and with what is wrong where. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);
export const quoted = (texts: readonly string[]): string => texts.map(text => `"${text}"`).join(', ');
export const sortedSet = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();
/** `containers "a", "b"`. */
export const named = (what: string, names: readonly string[]): string =>
  `${plural(names.length, what)} ${quoted(names)}`;
export const containerNames = (containers: readonly SecuredContainer[]): string =>
  named(
    'container',
    containers.map(({ name }) => name),
  );

/** Those who set something: the Pod itself, then its containers. `pod and container "a"`. */
export function setters(podDoes: boolean, containers: readonly SecuredContainer[]): string {
  return [...(podDoes ? ['pod'] : []), ...(containers.length > 0 ? [containerNames(containers)] : [])].join(' and ');
}
