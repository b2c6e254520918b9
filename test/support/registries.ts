import { setMaxListeners } from 'node:events';
import { FakeClock } from '../../src/machinery/clock.js';
import type { Turns } from '../../src/machinery/turns.js';
import type { KubeObject } from '../../src/machinery/types.js';
import { createCatalog, type MutableCatalog, type Strategies } from '../../src/api/create-catalog.js';
import { loadApi } from '../../src/api/load.js';
import type { RequestContext, WriteOptions } from '../../src/api/strategy.js';
import type { AdmissionPlugin } from '../../src/server/admission/types.js';
import { createRegistries, type Registries } from '../../src/server/registry/create-registries.js';
import type {
  ListQuery,
  Registry,
  RegistryWatch,
  RegistryWatchEvent,
  StoredObject,
  WatchListener,
} from '../../src/server/registry/types.js';
import type { Validator } from '../../src/server/validation/validator.js';
import type { KvStore } from '../../src/storage/kv-store.js';
import { createMemoryStore } from '../../src/storage/memory/memory-store.js';

const api = loadApi();

export interface Fixture {
  readonly clock: FakeClock;
  readonly store: KvStore;
  readonly catalog: MutableCatalog;
  readonly registries: Registries;
  readonly warnings: string[];
  /** What went wrong outside any request. */
  readonly failures: string[];
  /** In the preferred version, or `version` of `group`. */
  registry(resource: string, version?: string): Registry;
  context(options?: Partial<WriteOptions>): RequestContext;
  readonly close: () => void;
}

/** Registries over a memory store and the built-in catalog, with strategies as given (none by default). */
export async function fixture(
  options: {
    strategies?: Strategies;
    admission?: readonly AdmissionPlugin[];
    store?: KvStore;
    clock?: FakeClock;
    turns?: Turns;
    validate?: Validator;
  } = {},
): Promise<Fixture> {
  const { strategies = {}, admission = [], store = createMemoryStore(), clock = new FakeClock() } = options;
  const catalog = createCatalog(strategies, api);
  const stopping = new AbortController();
  const signal = stopping.signal;
  // One for all requests of a test.
  setMaxListeners(0, signal);
  const warnings: string[] = [];
  const failures: string[] = [];
  const onError = (_error: unknown, what: string): void => void failures.push(what);
  const { turns, validate } = options;
  const given = { ...(turns === undefined ? {} : { turns }), ...(validate === undefined ? {} : { validate }) };
  const registries = await createRegistries({ store, catalog, clock, admission, signal, onError, ...given });
  return {
    clock,
    store,
    catalog,
    registries,
    warnings,
    failures,
    registry(resource, version) {
      const preferred = catalog.preferred(resource);
      const entry =
        version === undefined || preferred === undefined
          ? preferred
          : catalog.find(preferred.info.group, version, preferred.info.plural);
      if (entry === undefined) throw new Error(`no resource ${resource}`);
      return registries.get(entry);
    },
    context: (given = {}) => ({
      user: { name: 'tester', groups: [] },
      clock,
      options: { dryRun: false, fieldManager: 'test', fieldValidation: 'Strict', ...given },
      objects: registries.objects,
      signal,
      warn: text => void warnings.push(text),
    }),
    close: () => stopping.abort(),
  };
}

export const plain = (result: StoredObject | KubeObject): KubeObject =>
  JSON.parse('encode' in result ? (result as StoredObject).encode().toString() : JSON.stringify(result)) as KubeObject;

/** One event in short: "ADDED a@7", "BOOKMARK @9", "ERROR 410". */
export function summary(event: RegistryWatchEvent): string {
  switch (event.type) {
    case 'BOOKMARK':
      return `BOOKMARK @${event.resourceVersion}${event.initialEventsEnd === true ? ' end' : ''}`;
    case 'ERROR':
      return `ERROR ${event.status.code} ${event.status.message}`;
    default:
      return `${event.type} ${event.object.key.name}@${event.object.revision}`;
  }
}

export interface RecordedWatch {
  readonly watch: RegistryWatch;
  readonly events: RegistryWatchEvent[];
  readonly batches: number[];
  readonly ended: boolean;
  /** From now on the listener throws. */
  breakDown(): void;
  /** What backlog() answers. */
  backlog: number;
  /** The events so far, once there are `count` of them. */
  until(count: number): Promise<string[]>;
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Waits for a condition that the event loop brings about, not time. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 10_000; i++) {
    if (condition()) return;
    await turn();
  }
  throw new Error(`never came about: ${what}`);
}

export async function record(
  registry: Registry,
  ctx: RequestContext,
  namespace: string,
  query: ListQuery,
): Promise<RecordedWatch> {
  const events: RegistryWatchEvent[] = [];
  const batches: number[] = [];
  let ended = false;
  const state = { backlog: 0, broken: false };
  const listener: WatchListener = {
    events(batch) {
      if (ended) throw new Error('events after the end');
      if (state.broken) throw new Error('a listener with a bug');
      events.push(...batch);
      batches.push(batch.length);
    },
    end() {
      ended = true;
    },
    cut() {
      ended = true;
    },
    backlog: () => state.backlog,
  };
  const watch = await registry.watch(ctx, namespace, query, listener);
  return {
    watch,
    events,
    batches,
    get ended() {
      return ended;
    },
    get backlog() {
      return state.backlog;
    },
    breakDown() {
      state.broken = true;
    },
    set backlog(bytes) {
      state.backlog = bytes;
    },
    async until(count) {
      await eventually(`${count} events, have ${events.map(summary).join(', ')}`, () => events.length >= count);
      return events.map(summary);
    },
  };
}
