import type { Trace, TraceOptions } from './trace-types.js';
import type { ApiObject, WaitCondition, WaitOptions } from './types.js';

/** What a test does with a cluster through nothing but its API; `Cluster` tells what each of it does. */
export interface ClusterApi {
  readonly apply: (
    source: string | ApiObject | readonly (string | ApiObject)[],
    options?: { readonly namespace?: string; readonly force?: boolean },
  ) => Promise<ApiObject[]>;
  readonly waitFor: (object: string, condition: WaitCondition, options?: WaitOptions) => Promise<ApiObject | undefined>;
  readonly namespace: (name?: string) => Promise<string>;
  readonly trace: (from: string, to: string, options?: TraceOptions) => Promise<Trace>;
  /** Before it is there, no Pod is admitted to a namespace. */
  readonly defaultServiceAccount: (namespace: string) => Promise<void>;
}
