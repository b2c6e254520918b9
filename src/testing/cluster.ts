import { prepare } from './cluster-api.js';
import type { Faults } from './fault-types.js';
import type { RecordedRequest, RequestFilter } from './request-types.js';
import { restoreState } from './reset.js';
import { restoreSnapshot, takeSnapshot } from './snapshot.js';
import { stateOf, type StoreState } from './store-state.js';
import type { ClusterClock, ResetOptions, SettledOptions } from './time-types.js';
import type { IsolatedCluster } from './isolated-types.js';
import { createIsolatedCluster } from './isolated.js';
import type { TestNode } from './node-types.js';
import type { Trace, TraceOptions } from './trace-types.js';
import type { Access, AccessConfig, ApiObject, ClusterOptions, WaitCondition, WaitOptions } from './types.js';
import { startParts, type Parts } from './cluster-parts.js';

/**
 * A whole Kubernetes cluster for tests, in this process and in memory: API server, controllers, cluster DNS and nodes. Clients reach
 * it over HTTPS on a free port of 127.0.0.1. Several run side by side and know nothing of each other. What keeps this process from its
 * event loop keeps the cluster from answering: wait for children with `execFile`, not `execFileSync`, or use `isolate`.
 *
 * Methods that ask the API server reject with an error named "StatusError" as the server answered: it has `code` (the HTTP status),
 * `reason` and `message`.
 */
export class Cluster implements Access, AsyncDisposable {
  /** What goes wrong between clients and the API server. */
  readonly faults: Faults;
  /** `await using` stops it. */
  readonly [Symbol.asyncDispose]: () => Promise<void> = () => this.stop();
  readonly #parts: Parts;
  /** What there was when `create` resolved. */
  #initial: StoreState = new Map();

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.faults = parts.faults;
  }

  /** With `isolate: true` the cluster runs in a process of its own, which ends with this one. */
  static create(options: ClusterOptions & { readonly isolate: true }): Promise<IsolatedCluster>;
  /**
   * Starts a cluster. Resolves when every node is Ready, the cluster's DNS answers, and `crds` and `objects` are there.
   * @throws Error when a port cannot be had, DocumentError when a file cannot be read, StatusError when an object is refused;
   * nothing is left then
   */
  static create(options?: ClusterOptions & { readonly isolate?: false }): Promise<Cluster>;
  static async create(
    options: ClusterOptions & { readonly isolate?: boolean } = {},
  ): Promise<Cluster | IsolatedCluster> {
    if (options.isolate === true) return createIsolatedCluster(options);
    const parts = await startParts(options);
    const cluster = new Cluster(parts);
    try {
      await prepare(parts.api, options, options.apiServerOnly !== true);
      await parts.time.begin(parts.running.api);
      cluster.#initial = await stateOf(parts.running.store);
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
  apply(
    source: string | ApiObject | readonly (string | ApiObject)[],
    options: { readonly namespace?: string; readonly force?: boolean } = {},
  ): Promise<ApiObject[]> {
    return this.#parts.api.apply(source, options);
  }

  /**
   * Waits until an object is as wanted: `waitFor('deployment/web', 'Available')`. Resolves with the object; with undefined
   * where it was to be gone.
   * @throws WaitError, which shows the object as it was last; RangeError for a condition that is none; Error for a
   * resource that is not served; the signal's reason
   */
  waitFor(object: string, condition: WaitCondition, options: WaitOptions = {}): Promise<ApiObject | undefined> {
    return this.#parts.api.waitFor(object, condition, options);
  }

  /**
   * Makes a namespace that nobody has used, "test-" and something of chance unless it is named, and resolves with its
   * name when Pods can be made in it: its default ServiceAccount is there. @throws StatusError, e.g. 409 when it is there already
   */
  namespace(name?: string): Promise<string> {
    return this.#parts.api.namespace(name);
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
    return this.#parts.api.trace(from, to, options);
  }

  /** Its time: `clock.advance('30s')` moves a virtual one. */
  get clock(): ClusterClock {
    return this.#parts.time.control;
  }

  /**
   * Resolves when no controller, agent or DNS process has work left: their queues are empty, nothing is under way, and everybody
   * who watches has been told of the newest change. Processes in containers, requests of others and what waits for time to
   * pass do not count: grace periods, back-offs of more than a second.
   * @throws Error naming what is left, when the signal aborts before
   */
  settled(options: SettledOptions = {}): Promise<void> {
    return this.#parts.time.settled(options);
  }

  /**
   * The state after `create`: objects that came later go at once, whatever their finalizers and grace periods say, what was changed
   * or deleted is there again, faults are over, nodes are whole. Leases stay, and of Nodes what their agents say. Time does not go back.
   */
  async reset(options: ResetOptions = {}): Promise<void> {
    this.faults.clear();
    await Promise.all(
      this.#parts.running.nodes.map(async (node, i) => {
        await this.nodes[i]?.heal();
        if (node.agent === undefined) await node.start();
      }),
    );
    await restoreState(this.#parts.running, this.#initial, { ...options, time: this.#parts.time });
  }

  /** All objects at this moment, as a file that can be sent around; keys and Leases are not in it. */
  snapshot(): Promise<Uint8Array> {
    const { running, time } = this.#parts;
    return takeSnapshot(running.store, time.clock.now());
  }

  /**
   * Makes the objects those of a snapshot, which may be another cluster's: what a cluster says of itself stays as this one has it.
   * @throws SnapshotError saying what is wrong with the file; nothing is changed then
   */
  restore(snapshot: Uint8Array, options: ResetOptions = {}): Promise<void> {
    return restoreSnapshot(this.#parts.running, snapshot, { ...options, time: this.#parts.time });
  }

  /** Ends all of it: connections, ports, files. What still asks is refused. Once is enough. */
  stop(): Promise<void> {
    return this.#parts.stop();
  }
}
