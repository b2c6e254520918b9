import { hostname } from 'node:os';
import type { ClientConfig } from '../client/kubeconfig.js';
import { runWhileLeading } from '../client/leader-election.js';
import { LEASES } from '../client/resources.js';
import { createClient } from '../client/rest-client.js';
import { aggregatedDocuments } from '../api/openapi/aggregated-documents.js';
import { ALL_CONTROLLERS } from '../controllers/all.js';
import type { ControllerDefinition, ControllerOptions } from '../controllers/controller.js';
import { runControllers } from '../controllers/run.js';
import { selectControllers } from '../controllers/select.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';
import type { Random } from '../machinery/random.js';
import type { Lease } from '../machinery/types.js';
import { runIngressAddon } from '../ingress/addon/run-addon.js';
import { runMetrics, type RunMetricsOptions } from '../metrics/run.js';
import { createLoggedInformers } from './informers.js';
import { startPart, type RunningPart } from './part.js';

export interface StartControllerManagerOptions {
  readonly config: ClientConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** As --controllers: '*' is all that are on by default, 'name' adds one, '-name' removes one. */
  readonly controllers: readonly string[];
  readonly options: ControllerOptions;
  /** Serves metrics.k8s.io, too; undefined: that is somebody else's to do, or nobody's. */
  readonly metrics?: Pick<RunMetricsOptions, 'bindAddress' | 'hostAddress'>;
  /** Brings an ingress controller when there is use for one, by this user's rights; undefined: there is none. */
  readonly ingress?: ClientConfig;
  /** undefined: the only manager there is, which works at once. */
  readonly leaderElection?: {
    readonly leaseDurationMs: number;
    readonly renewDeadlineMs: number;
    readonly retryPeriodMs: number;
  };
}

const isScheduler = ({ name }: ControllerDefinition): boolean => name === 'scheduler';
const METRICS_API = { group: 'metrics.k8s.io', version: 'v1beta1' };

/** Runs the controllers, while it leads. @throws UnknownControllerError */
export function startControllerManager(start: StartControllerManagerOptions): RunningPart {
  const { config, clock, random, log, options, leaderElection } = start;
  const definitions = selectControllers(ALL_CONTROLLERS, start.controllers);
  const client = createClient(config, 'kube-controller-manager', clock);
  const informers = createLoggedInformers(client.transport, clock, log);
  const { transport } = client;
  const addons = start.ingress === undefined ? undefined : createClient(start.ingress, 'kubette-addons', clock);
  const shared = { client, informers, clock, log };
  const [placing, controlling] = [definitions.filter(isScheduler), definitions.filter(one => !isScheduler(one))];
  const run = (some: readonly ControllerDefinition[], leading: AbortSignal): Promise<void> =>
    runControllers(some, { ...shared, random, options }, leading);
  const control = async (leading: AbortSignal): Promise<void> => {
    const openApi = (): ReturnType<typeof aggregatedDocuments> => aggregatedDocuments(METRICS_API);
    await Promise.all([
      // It asks for whole objects, before somebody asks for less of them.
      addons && runIngressAddon({ ...shared, client: addons }, leading),
      run(controlling, leading),
      start.metrics && runMetrics({ ...shared, ...start.metrics, transport, openApi }, leading),
    ]);
  };
  const identity = `${hostname()}_${random.uuid()}`;
  /** @throws Error when somebody else has become the leader */
  const lead = async (
    name: string,
    work: (leading: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> => {
    const guarded = async (leading: AbortSignal): Promise<void> => {
      try {
        await work(leading);
      } catch (error) {
        if (!leading.aborted) throw error;
      }
    };
    if (leaderElection === undefined) return guarded(signal);
    await runWhileLeading(
      {
        leases: client.resource<Lease>(LEASES),
        lease: { namespace: 'kube-system', name },
        identity,
        clock,
        ...leaderElection,
        onError: error => log.warn({ error: error.message }, 'leader election'),
      },
      guarded,
      signal,
    );
    if (!signal.aborted) throw new Error('leaderelection lost');
  };
  return startPart(async signal => {
    try {
      // Two programs upstream, which are elected each for itself: a scheduler of somebody's own may take the place of ours.
      await Promise.all([
        lead('kube-controller-manager', control, signal),
        placing.length > 0 && lead('kube-scheduler', leading => run(placing, leading), signal),
      ]);
    } finally {
      client.close();
      addons?.close();
    }
  });
}
