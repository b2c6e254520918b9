import type { ClientConfig } from '../../../client/kubeconfig.js';
import { ENDPOINT_SLICES, EVENTS, NODES } from '../../../client/resources.js';
import { createClient } from '../../../client/rest-client.js';
import { ConnectionError } from '../../../client/transport.js';
import { createLoggedInformers } from '../../../cluster/informers.js';
import { startPart, type RunningPart } from '../../../cluster/part.js';
import type { Clock } from '../../../machinery/clock.js';
import { SILENT } from '../../../machinery/logger.js';
import { isNodeReady } from '../../../machinery/node-ready.js';
import type { CoreEvent, DeepReadonly, EndpointSlice, KubeObject, Node } from '../../../machinery/types.js';
import { StatusError } from '../../../machinery/status.js';
import { openRuleSyncs } from '../../rule-syncs.js';
import { endpointsText, serviceOf } from './endpoints.js';
import { eventLine } from './event-line.js';
import { NARRATED, type NarratedKind } from './states.js';
import { syncLine } from './sync-line.js';
import { nameOf, plain, timeOfDay } from './text.js';

export interface NarratorOptions {
  readonly config: ClientConfig;
  readonly clock: Clock;
  /** A line for the terminal. */
  readonly say: (line: string) => void;
}

const RETRY_MS = 1_000;
const BY_SERVICE = 'service';

/** Tells what happens in a cluster, a line each: Events, how objects are, what proxies load. What was before is not told. */
export function startNarrator({ config, clock, say }: NarratorOptions): RunningPart {
  const client = createClient(config, 'kubette-up');
  const informers = createLoggedInformers(client.transport, clock, SILENT);
  const line = (text: string): void => say(`${timeOfDay(clock.now())} ${text}`);

  return startPart(async signal => {
    const live = (): boolean => all.every(({ synced }) => synced);
    const events = informers.informer<CoreEvent>(EVENTS);
    const tell = (event: DeepReadonly<CoreEvent>): void => {
      if (live()) line(eventLine(event));
    };
    events.addHandler({
      add: tell,
      update(old, event) {
        if ((old.series?.count ?? old.count) !== (event.series?.count ?? event.count)) tell(event);
      },
    });
    const states = NARRATED.map(kind => narrateStates(kind));
    const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
    slices.addIndex(BY_SERVICE, slice => [serviceOf(slice) ?? []].flat());
    const counted = new Map<string, string>();
    const count = (slice: DeepReadonly<EndpointSlice>): void => {
      const service = serviceOf(slice);
      if (service === undefined) return;
      const left = slices.indexer.byIndex(BY_SERVICE, service);
      const text = endpointsText(left);
      const before = counted.get(service);
      if (left.length > 0) counted.set(service, text);
      else counted.delete(service);
      if (before === text) return;
      if (live()) line(`Service ${service}: ${text}`);
    };
    slices.addHandler({ add: count, update: (_old, slice) => count(slice), delete: count });
    const nodes = informers.informer<Node>(NODES);
    const heard = new Set<string>();
    const listen = (node: DeepReadonly<Node>): void => {
      const { name = '' } = node.metadata;
      if (!isNodeReady(node) || heard.has(name)) return;
      heard.add(name);
      void follow(name).finally(() => {
        heard.delete(name);
        const now = nodes.indexer.get(name);
        if (now !== undefined && !signal.aborted) listen(now);
      });
    };
    nodes.addHandler({ add: listen, update: (_old, node) => listen(node) });
    const all = [events, slices, ...states];
    informers.start(signal);
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
    client.close();

    function narrateStates({ ref, kind, state }: NarratedKind) {
      const informer = informers.informer(ref);
      const known = new Map<string, string | undefined>();
      const look = (object: DeepReadonly<KubeObject>): void => {
        const name = nameOf(object.metadata);
        const now = state(object);
        if (known.get(name) === now) return;
        known.set(name, now);
        if (live() && now !== undefined) line(plain(`${kind} ${name}: ${now}`));
      };
      informer.addHandler({
        add: look,
        update: (_old, object) => look(object),
        delete(object) {
          const name = nameOf(object.metadata);
          known.delete(name);
          if (live()) line(plain(`${kind} ${name}: deleted`));
        },
      });
      return informer;
    }

    /** The syncs of a node's proxy, until its agent ends. */
    async function follow(name: string): Promise<void> {
      const path = `/api/v1/nodes/${encodeURIComponent(name)}/proxy/rules?watch=true`;
      try {
        for await (const sync of await openRuleSyncs(client, path, signal)) {
          const text = syncLine(name, sync);
          if (text !== undefined) line(text);
        }
      } catch (error) {
        // Its agent is gone, or not there yet; when its Node is Ready it is asked again.
        if (!signal.aborted && !(error instanceof StatusError || error instanceof ConnectionError || isBroken(error)))
          line(plain(`proxy of ${name}: ${(error as Error).message}`));
      }
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  });
}

/** A stream whose other end is gone. */
const isBroken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code !== undefined;
