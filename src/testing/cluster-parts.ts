import { startCluster, type RunningCluster } from '../cluster/start-cluster.js';
import { anyRange, claimHostRange } from '../cluster/host-range.js';
import { openMemoryStore } from '../cluster/store.js';
import { createClient } from '../client/rest-client.js';
import { createCable, type HandledCable } from '../machinery/cable.js';
import { realClock } from '../machinery/clock.js';
import { realRandom, seededRandom } from '../machinery/random.js';
import { readBehaviour } from './behaviour.js';
import { createAccesses, type Accesses } from './access.js';
import { createClusterTime, type ClusterTime } from './cluster-time.js';
import type { ClusterApi } from './cluster-api-types.js';
import { createClusterApi } from './cluster-api.js';
import type { Faults } from './fault-types.js';
import { createFaultPlan } from './faults.js';
import { createRequestLog, type RequestLog } from './requests.js';
import { createSlowStore, type SlowStore } from './slow-store.js';
import type { TestNode } from './node-types.js';
import { createSkewedClock, createTestNode, type SkewedClock } from './node.js';
import { createTemporaryFolder } from './temporary-folder.js';
import type { Access, ClusterOptions } from './types.js';

const DEFAULT_RECORDS = 10_000;

/** What a cluster is made of, as `create` has put it together. */
export interface Parts {
  readonly running: RunningCluster;
  readonly time: ClusterTime;
  readonly api: ClusterApi;
  readonly accesses: Accesses;
  readonly admin: Access;
  readonly log: RequestLog;
  readonly faults: Faults;
  readonly nodes: readonly TestNode[];
  stop(): Promise<void>;
}

/** Starts all that a cluster is made of. @throws Error when a port cannot be had; nothing is left then */
export async function startParts(options: ClusterOptions): Promise<Parts> {
  const { seed, apiServerOnly = false, record = 'Metadata' } = options;
  const behaviour = await readBehaviour(options.behaviour);
  const time = createClusterTime({ clock: options.clock ?? 'real', ...startOf(options) });
  const { clock } = time;
  const random = seed === undefined ? realRandom : seededRandom(seed);
  const log = createRequestLog(options.recordLimit ?? DEFAULT_RECORDS);
  let store: SlowStore | undefined;
  const plan = createFaultPlan({
    clock: realClock,
    random,
    store() {
      if (store === undefined) throw new Error('the cluster has not been started');
      return store;
    },
  });
  const handles = new Map<string, { readonly cable: HandledCable; readonly clock: SkewedClock }>();
  const handleOf = (name: string): { readonly cable: HandledCable; readonly clock: SkewedClock } => {
    const handle = handles.get(name) ?? { cable: createCable(), clock: createSkewedClock(clock) };
    handles.set(name, handle);
    return handle;
  };
  const folder = createTemporaryFolder();
  const range = apiServerOnly || options.nodes === 0 ? undefined : await claimHostRange(anyRange(realRandom));
  const release = (): void => {
    range?.release();
    folder.remove();
  };
  try {
    const { behaviour: _source, ...rest } = options;
    const running = await startCluster({
      ...rest,
      ...(behaviour === undefined ? {} : { behaviour }),
      clock,
      random,
      ...(range === undefined ? {} : { bindAddressOf: node => range.addressOf(node) }),
      settingsOf: handleOf,
      openStore: async () => (store = createSlowStore(await openMemoryStore(clock), realClock)),
      server: {
        audit: { sink: log.sink, policy: { rules: [{ level: record }], omitStages: ['RequestReceived'] } },
        interpose: exchange => plan.interpose(exchange),
        // As envtest: nobody makes the ServiceAccounts that it would ask for.
        ...(apiServerOnly ? { disabledAdmission: ['ServiceAccount'] } : {}),
      },
    });
    const { cert = '', key = '' } = running.config;
    const accesses = createAccesses({ server: running.url, ca: running.pki.ca, folder });
    const client = createClient(running.config, 'kubette-testing');
    let stopped: Promise<void> | undefined;
    return {
      running,
      time,
      api: createClusterApi({ client, uuid: () => random.uuid(), hasControllers: !apiServerOnly }),
      accesses,
      admin: accesses.of({ cert, key }),
      log,
      faults: plan.faults,
      nodes: running.nodes.map(node => {
        const { cable, clock: its } = handleOf(node.name);
        return createTestNode(node, cable, its);
      }),
      stop: () =>
        (stopped ??= (async () => {
          plan.faults.clear();
          time.release();
          client.close();
          await running.close();
          release();
        })()),
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** @throws RangeError for a time that is none */
function startOf({ startTime }: ClusterOptions): { readonly startMs?: number } {
  if (startTime === undefined) return {};
  const startMs = typeof startTime === 'number' ? startTime : Date.parse(startTime);
  if (!Number.isFinite(startMs)) throw new RangeError(`startTime: ${JSON.stringify(startTime)} is no time`);
  return { startMs };
}
