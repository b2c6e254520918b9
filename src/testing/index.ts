export { BehaviourFileError } from '../containers/behaviour/errors.js';
export type { BehaviourRule, ToldBehaviour } from './behaviour-types.js';
export { Cluster } from './cluster.js';
export { ControlError, DocumentError, SnapshotError, WaitError } from './errors.js';
export type { Fault, FaultFilter, Faults } from './fault-types.js';
export type { IsolatedCluster, IsolatedFault, Promised } from './isolated-types.js';
export type { TestNode } from './node-types.js';
export type { RecordedRequest, RequestFilter } from './request-types.js';
export type { ClusterClock, ResetOptions, SettledOptions } from './time-types.js';
export type { Hop, Trace, TraceOptions } from './trace-types.js';
export type {
  Access,
  AccessConfig,
  ApiObject,
  ApiObjectMeta,
  ClusterOptions,
  Duration,
  NodeOptions,
  WaitCondition,
  WaitOptions,
} from './types.js';
