export { Cluster } from './cluster.js';
export { DocumentError } from './documents.js';
export type { Fault, FaultFilter, Faults } from './faults.js';
export type { TestNode } from './node.js';
export type { RecordedRequest, RequestFilter } from './requests.js';
export type { Hop, Trace, TraceOptions } from './trace.js';
export type {
  Access,
  AccessConfig,
  ApiObject,
  ApiObjectMeta,
  ClusterOptions,
  Duration,
  WaitCondition,
  WaitOptions,
} from './types.js';
export { WaitError } from './wait-for.js';
