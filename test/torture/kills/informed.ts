import { createInformerFactory } from '../../../src/client/informer.js';
import { CONFIG_MAPS } from '../../../src/client/resources.js';
import type { HttpRequest, Transport } from '../../../src/client/transport.js';
import { realClock } from '../../../src/machinery/clock.js';
import type { DeepReadonly, ConfigMap, KubeObject } from '../../../src/machinery/types.js';
import type { Change } from '../history/observation.js';
import { seenIn, seenOf } from './objects.js';
import type { Observer } from './observer.js';
import type { Recorder } from './recorder.js';

export interface InformedOptions {
  readonly name: string;
  readonly transport: Transport;
  readonly recorder: Recorder;
  readonly team: string;
  readonly signal: AbortSignal;
}

/** The transport of an informer, whose lists are recorded: nobody but the checker is told of them otherwise. */
function recordingLists({ transport, recorder, name, team }: InformedOptions): Transport {
  return {
    ...transport,
    async fetch(request: HttpRequest) {
      const body = await transport.fetch(request);
      const { items, metadata } = JSON.parse(body) as {
        items: KubeObject[] | null;
        metadata: { resourceVersion: string };
      };
      const revision = Number(metadata.resourceVersion);
      recorder.add({ what: 'listed', list: recorder.next(), by: name, team, revision, items: seenIn(items ?? []) });
      return body;
    },
  };
}

/** An informer as our own controllers use it, and a handler that records what it is told. */
export function startInformed(options: InformedOptions): Observer & { hold(): void } {
  const { name, recorder, team, signal } = options;
  const factory = createInformerFactory({ transport: recordingLists(options), clock: realClock });
  const informer = factory.informer<ConfigMap>(CONFIG_MAPS, team === '' ? {} : { labelSelector: `team=${team}` });
  let reached = 0;
  const handled = (change: Change, object: DeepReadonly<ConfigMap>, old?: DeepReadonly<ConfigMap>): void => {
    const seen = seenOf(object as ConfigMap);
    if (seen === undefined) return;
    const before = old && seenOf(old as ConfigMap);
    recorder.add({ what: 'handled', by: name, change, seen, ...(before === undefined ? {} : { before }) });
    reached = Math.max(reached, seen.revision);
  };
  informer.addHandler({
    add: object => handled('ADDED', object),
    update: (old, object) => handled('MODIFIED', object, old),
    delete: object => handled('DELETED', object),
  });
  factory.start(signal);
  return {
    name,
    reached: () => reached,
    hold: () => recorder.add({ what: 'holds', by: name, items: seenIn([...informer.indexer.list()] as ConfigMap[]) }),
  };
}
