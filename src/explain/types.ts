import type { NetworkPolicy } from '../dataplane/policies/types.js';
import type {
  CoreEvent,
  DeepReadonly,
  Deployment,
  EndpointSlice,
  Node,
  PersistentVolumeClaim,
  Pod,
  Service,
} from '../machinery/types.js';

export interface ObjectName {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Why something does not work, for people: what is so, and which object to change. */
export interface Reason {
  readonly code:
    | 'NameNotFound'
    | 'NoOutsideNetwork'
    | 'NoSuchObject'
    | 'PodNotReady'
    | 'PodsNotReady'
    | 'NotEnoughPods'
    | 'NoSuchTargetPort'
    | 'HeadlessPort'
    | 'NodeNotReady'
    | 'NoAddressOutside'
    | 'ServerError'
    | 'NoSuchPort'
    | 'NoMatchingPods'
    | 'NoReadyEndpoints'
    | 'NoLocalEndpoints'
    | 'NoSelector'
    | 'SourceRange'
    | 'NetworkPolicy'
    | 'NothingListens'
    | 'NoSuchAddress'
    | 'DnsUnreachable'
    | 'NoAnswer';
  readonly message: string;
  /** A line each. */
  readonly details: readonly string[];
  /** Those to look at, the likeliest first. */
  readonly objects: readonly ObjectName[];
  /** What would mend it. */
  readonly fix: string;
  /** A command that shows it. */
  readonly show?: string;
}

/** Why a Pod gets no traffic: in a few words, what to change, and what shows it. */
export interface PodProblem {
  readonly text: string;
  readonly fix: string;
  readonly show: string;
}

/** What the API server says, which an agent alone does not know. */
export interface Facts {
  readonly services: readonly DeepReadonly<Service>[];
  /** Of the Services that the request is about, if not of all. */
  readonly slices: readonly DeepReadonly<EndpointSlice>[];
  readonly pods: readonly DeepReadonly<Pod>[];
  /** Of other namespaces, which the selector of the Service that the request is about matches. */
  readonly elsewhere?: readonly DeepReadonly<Pod>[];
  readonly deployments?: readonly DeepReadonly<Deployment>[];
  readonly nodes?: readonly DeepReadonly<Node>[];
  readonly claims?: readonly DeepReadonly<PersistentVolumeClaim>[];
  readonly policies?: readonly DeepReadonly<NetworkPolicy>[];
  /** Of these Pods and claims, the oldest first. */
  readonly events?: readonly DeepReadonly<CoreEvent>[];
  /** By "namespace/name" of a Pod. */
  readonly listening?: ReadonlyMap<string, ListeningPorts>;
}

/** The ports of a Pod on which something listens that others can reach. */
export interface ListeningPorts {
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  readonly sctp: readonly number[];
  /** Those of TCP that only the Pod itself can reach. */
  readonly loopback: readonly number[];
}

export const nameText = ({
  namespace,
  name,
}: {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}): string => (namespace === undefined ? (name ?? '') : `${namespace}/${name ?? ''}`);

/** Of a Service, where it is one of those to look at. */
export const serviceName = ({ metadata: { namespace = '', name = '' } }: DeepReadonly<Service>): ObjectName => ({
  kind: 'Service',
  namespace,
  name,
});

/** "Service shop/web: …" */
export const ofObject = ({ kind, namespace, name }: ObjectName, text: string): string =>
  `${kind} ${nameText({ namespace, name })}: ${text}`;
