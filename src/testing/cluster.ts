import { startCluster, type RunningCluster } from '../cluster/start-cluster.js';
import { claimHostRange } from '../cluster/host-range.js';
import { openMemoryStore } from '../cluster/store.js';
import { NAMESPACES, SERVICE_ACCOUNTS } from '../client/resources.js';
import { createClient, type RestClient } from '../client/rest-client.js';
import { createCable, type HandledCable } from '../machinery/cable.js';
import { realClock, type Clock } from '../machinery/clock.js';
import { realRandom, seededRandom, type Random } from '../machinery/random.js';
import { createAccesses, type Accesses } from './access.js';
import { applyAll } from './apply.js';
import { readObjects } from './documents.js';
import { milliseconds } from './duration.js';
import { createFaultPlan, type Faults } from './faults.js';
import { createRequestLog, type RecordedRequest, type RequestFilter, type RequestLog } from './requests.js';
import { createResourceNames, type ResourceNames } from './resource-names.js';
import { createSlowStore, type SlowStore } from './slow-store.js';
import { createSkewedClock, createTestNode, type SkewedClock, type TestNode } from './node.js';
import { createTemporaryFolder } from './temporary-folder.js';
import { traceRequests, type Trace, type TraceOptions } from './trace.js';
import type { Access, AccessConfig, ApiObject, ClusterOptions, WaitCondition, WaitOptions } from './types.js';
import { waitForObject } from './wait-for.js';

const DEFAULT_TIMEOUT = '30s';
const DEFAULT_RECORDS = 10_000;

/** What a cluster is made of, as `create` has put it together. */
interface Parts {
  readonly running: RunningCluster;
  readonly client: RestClient;
  readonly names: ResourceNames;
  readonly accesses: Accesses;
  readonly admin: Access;
  readonly log: RequestLog;
  readonly faults: Faults;
  readonly nodes: readonly TestNode[];
  readonly random: Random;
  readonly hasControllers: boolean;
  stop(): Promise<void>;
}

/**
 * A whole Kubernetes cluster for tests, in this process and in memory: API server, controllers, cluster DNS and nodes. Clients reach
 * it over HTTPS on a free port of 127.0.0.1. Several run side by side and know nothing of each other.
 *
 * Methods that ask the API server reject with an error named "StatusError" as the server answered: it has `code` (the HTTP status),
 * `reason` and `message`.
 */
export class Cluster implements Access, AsyncDisposable {
  /** What goes wrong between clients and the API server. */
  readonly faults: Faults;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.faults = parts.faults;
  }

  /**
   * Starts a cluster. Resolves when every node is Ready, the cluster's DNS answers, and `crds` and `objects` are there.
   * @throws Error when a port cannot be had, DocumentError when a file cannot be read, StatusError when an object is refused;
   * nothing is left then
   */
  static async create(options: ClusterOptions = {}): Promise<Cluster> {
    const parts = await startParts(options);
    const cluster = new Cluster(parts);
    try {
      if (parts.hasControllers) await cluster.#defaultServiceAccount('default');
      const definitions = await readObjects(options.crds ?? []);
      await cluster.apply(definitions.filter(({ kind }) => kind === 'CustomResourceDefinition'));
      await cluster.apply(options.objects ?? []);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** "https://127.0.0.1:41234" */
  get url(): string {
    return this.#parts.running.url;
  }

  /** Of the administrator, who may do everything (group system:masters). */
  get kubeconfig(): string {
    return this.#parts.admin.kubeconfig;
  }

  /** A file with `kubeconfig`; written when it is first asked for, removed by `stop`. */
  get kubeconfigPath(): string {
    return this.#parts.admin.kubeconfigPath;
  }

  /** For a child process: `{ ...process.env, ...cluster.env }`. */
  get env(): Access['env'] {
    return this.#parts.admin.env;
  }

  /** The administrator's access as a value. */
  get config(): AccessConfig {
    return this.#parts.admin.config;
  }

  /**
   * How another user reaches the cluster, with a client certificate that its CA has signed. The user may do what RBAC
   * allows them: nothing, until something is bound to them or to one of their groups.
   */
  as(user: string, groups: readonly string[] = []): Access {
    return this.#parts.accesses.as(user, groups);
  }

  /**
   * Server-side apply, with force, of a file, of all files of a folder, of a text of YAML documents, or of objects;
   * CustomResourceDefinitions are Established before what needs them is applied. What names no namespace goes to
   * `namespace` (default "default"). Resolves with what the objects have become, in the order in which they were given.
   * @throws DocumentError, StatusError
   */
  async apply(
    source: string | ApiObject | readonly (string | ApiObject)[],
    options: { readonly namespace?: string; readonly force?: boolean } = {},
  ): Promise<ApiObject[]> {
    const { client, names } = this.#parts;
    const objects = await readObjects(source);
    return applyAll(
      objects,
      { namespace: 'default', ...options },
      {
        client,
        names,
        established: name => this.waitFor(`customresourcedefinition/${name}`, 'Established'),
      },
    );
  }

  /**
   * Waits until an object is as wanted: `waitFor('deployment/web', 'Available')`. Resolves with the object; with undefined
   * where it was to be gone.
   * @throws WaitError, which shows the object as it was last; RangeError for a condition that is none; Error for a
   * resource that is not served; the signal's reason
   */
  async waitFor(object: string, condition: WaitCondition, options: WaitOptions = {}): Promise<ApiObject | undefined> {
    const { names, client } = this.#parts;
    const [resource = '', name = ''] = object.split('/', 2);
    if (name === '') throw new RangeError(`${JSON.stringify(object)} is no object: want e.g. "deployment/web"`);
    const ref = await names.ofName(resource);
    return waitForObject({
      resource: client.resource(ref),
      namespace: ref.namespaced ? (options.namespace ?? 'default') : '',
      name,
      condition,
      timeoutMs: milliseconds(options.timeout ?? DEFAULT_TIMEOUT),
      signal: options.signal,
    });
  }

  /**
   * Makes a namespace that nobody has used, "test-" and something of chance unless it is named, and resolves with its
   * name when Pods can be made in it: its default ServiceAccount is there. @throws StatusError, e.g. 409 when it is there already
   */
  async namespace(name?: string): Promise<string> {
    const { client, random, hasControllers } = this.#parts;
    const chosen = name ?? `test-${random.uuid().slice(0, 8)}`;
    await client.resource(NAMESPACES).create('', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: chosen } });
    if (hasControllers) await this.#defaultServiceAccount(chosen);
    return chosen;
  }

  /** Before it is there, no Pod is admitted. */
  async #defaultServiceAccount(namespace: string): Promise<void> {
    await waitForObject({
      resource: this.#parts.client.resource(SERVICE_ACCOUNTS),
      namespace,
      name: 'default',
      condition: 'create',
      timeoutMs: milliseconds(DEFAULT_TIMEOUT),
    });
  }

  /**
   * What has been asked of the API server, the oldest first, as its audit tells: requests that have been answered, and
   * watches that have begun. Those of the cluster's own components and of this library (user agent "kubette-testing") are among them.
   */
  requests(filter: RequestFilter = {}): RecordedRequest[] {
    return this.#parts.log.requests(filter);
  }

  /** The nodes, node-1 first. */
  get nodes(): readonly TestNode[] {
    return this.#parts.nodes;
  }

  /** One of them. @throws RangeError when there is none of that name */
  node(name: string): TestNode {
    const found = this.nodes.find(node => node.name === name);
    const names = this.nodes.map(node => node.name).join(', ');
    if (found === undefined) throw new RangeError(`there is no node ${JSON.stringify(name)}, only ${names || 'none'}`);
    return found;
  }

  /**
   * Sends real requests from a Pod ("default/client", or "client" in the default namespace), a node ("node/node-1") or an address
   * outside, and tells their way: name lookup, rules, NAT, routes, who answered. `to` is "http://web", "svc/web",
   * "tcp://10.96.0.10:53", "udp://kube-dns.kube-system:53". A request that fails is no error of this method.
   * @throws StatusError, Error when the sender is not there or its node cannot be asked
   */
  trace(from: string, to: string, options: TraceOptions = {}): Promise<Trace> {
    return traceRequests(this.#parts.client, from, to, options);
  }

  /** Ends all of it: connections, ports, files. What still asks is refused. Once is enough. */
  stop(): Promise<void> {
    return this.#parts.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function startParts(options: ClusterOptions): Promise<Parts> {
  const { seed, apiServerOnly = false, record = 'Metadata' } = options;
  const clock: Clock = realClock;
  const random = seed === undefined ? realRandom : seededRandom(seed);
  const log = createRequestLog(options.recordLimit ?? DEFAULT_RECORDS);
  let store: SlowStore | undefined;
  const plan = createFaultPlan({
    clock,
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
  const range = apiServerOnly || options.nodes === 0 ? undefined : await claimHostRange(realRandom);
  const release = (): void => {
    range?.release();
    folder.remove();
  };
  try {
    const running = await startCluster({
      ...options,
      clock,
      random,
      ...(range === undefined ? {} : { bindAddressOf: node => range.addressOf(node) }),
      settingsOf: handleOf,
      openStore: async () => (store = createSlowStore(await openMemoryStore(clock), clock)),
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
      client,
      names: createResourceNames(client),
      accesses,
      admin: accesses.of({ cert, key }),
      log,
      faults: plan.faults,
      nodes: running.nodes.map(node => {
        const { cable, clock: its } = handleOf(node.name);
        return createTestNode(node, cable, its);
      }),
      random,
      hasControllers: !apiServerOnly,
      stop: () =>
        (stopped ??= (async () => {
          plan.faults.clear();
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
