import type { ResourceInfo } from '../../api/resource-info.js';
import type { RequestContext } from '../../api/strategy.js';
import type { DeepReadonly, JsonObject, KubeObject, ObjectKey } from '../../machinery/types.js';

/** An admission plugin: one entry of the ordered list in index.ts. */
export interface AdmissionPlugin {
  /** Upstream's name, e.g. "ServiceAccount". */
  readonly name: string;
  /** May mutate request.object. @throws StatusError */
  admit?(ctx: RequestContext, request: AdmissionRequest): void | Promise<void>;
  /** Must not mutate. Runs after validation of the object. @throws StatusError */
  validate?(ctx: RequestContext, request: AdmissionRequest): void | Promise<void>;
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly resource: ResourceInfo;
  readonly subresource: string;
  readonly key: ObjectKey;
  /** The new object (CREATE, UPDATE), or the options of a connection (CONNECT), e.g. PodExecOptions. */
  readonly object?: KubeObject;
  /** The stored object (UPDATE, DELETE). */
  readonly old?: DeepReadonly<KubeObject>;
  readonly deleteOptions?: JsonObject;
  /** One of a collection's deletions: who is asked about it is told no name. */
  readonly unnamed?: boolean;
  /** Of the mutating half: what plugins remember from its first round to its second. */
  readonly rounds?: Rounds;
}

/** The mutating plugins run twice where one of them asks for it (apiserver pkg/admission/reinvocation.go). */
export interface Rounds {
  /** Whether this is the second one. */
  again: boolean;
  /** Set by a plugin that has changed what earlier ones have seen. */
  wanted: boolean;
  /** By plugin. */
  readonly memory: Map<string, unknown>;
}
