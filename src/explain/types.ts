import type { DeepReadonly, EndpointSlice, Pod, Service } from '../machinery/types.js';

export interface ObjectName {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Why a request failed, for people: what is so, and which object to change. */
export interface Reason {
  readonly code:
    | 'NameNotFound'
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
}

/** What the API server says, which an agent alone does not know. */
export interface Facts {
  readonly services: readonly DeepReadonly<Service>[];
  /** Of the Services that the request is about, if not of all. */
  readonly slices: readonly DeepReadonly<EndpointSlice>[];
  readonly pods: readonly DeepReadonly<Pod>[];
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
