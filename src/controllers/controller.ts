import type { Logger } from '../machinery/logger.js';
import type { Clock } from '../machinery/clock.js';
import type { Random } from '../machinery/random.js';
import type { EventRecorder } from '../client/event-recorder.js';
import type { Client, InformerFactory } from '../client/types.js';
import type { WorkQueue } from '../machinery/work-queue.js';
import type { NodeMaskSizes } from './nodeipam/cluster-ranges.js';

/** What flags of the process mean to controllers. */
export interface ControllerOptions {
  /** PEM of the cluster's CA, published to every namespace; undefined: nothing is published. */
  readonly rootCa?: string;
  /** RSA private key, PEM, that signs tokens kept in Secrets; undefined: none are made. */
  readonly serviceAccountKey?: string;
  /** e.g. "10.244.0.0/16", or a range of each family: "10.244.0.0/16,fd00:10:244::/56"; undefined: nodes get no podCIDR. */
  readonly clusterCidr?: string;
  /** The CA that signs approved certificate requests, and how long for; undefined: they wait for another signer. */
  readonly signing?: { readonly cert: string; readonly key: string; readonly durationMs: number };
  /** The range, or one of each family, of addresses for Services of type LoadBalancer; undefined: they get none. */
  readonly loadBalancerCidr?: string;
  /** Default: /24 of IPv4, /64 of IPv6. */
  readonly nodeCidrMaskSizes?: NodeMaskSizes;
  readonly nodeMonitorPeriodMs: number;
  readonly nodeMonitorGracePeriodMs: number;
}

/** Everything a controller may touch. Cached objects are read-only. */
export interface ControllerContext {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly options: ControllerOptions;
  readonly log: Logger;
  readonly queue: WorkQueue;
  readonly signal: AbortSignal;
  readonly recorder: (component: string) => EventRecorder;
}

/** What `build` returns: a reconciler takes keys, never events, and may be called again for any key at any time. */
export interface Reconciler {
  /** A rejected call is retried with back-off. */
  reconcile(key: string): Promise<void>;
  /** Work beside the queue, e.g. a periodic check; ends with the context's signal. Starts after the caches synced. */
  background?(): Promise<void>;
}

/** One controller: an entry of the list in all.ts. */
export interface ControllerDefinition {
  /** Upstream's name, e.g. "endpointslice-controller"; --controllers takes it or an alias. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly workers: number;
  /** How long a key that failed waits, doubling from `baseMs`; without it 5 ms to 1000 s. */
  readonly retry?: { readonly baseMs: number; readonly maxMs: number };
  /** Subscribes to informers and says how to reconcile. Runs before the informers start. */
  build(context: ControllerContext): Reconciler;
}
