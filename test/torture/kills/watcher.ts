import type { Transport } from '../../../src/client/transport.js';
import { CONFIG_MAPS } from '../../../src/client/resources.js';
import { queryString, resourcePath } from '../../../src/client/rest-client.js';
import { toStatusError } from '../../../src/client/transport.js';
import { realClock } from '../../../src/machinery/clock.js';
import type { Random } from '../../../src/machinery/random.js';
import { StatusError } from '../../../src/machinery/status.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { Change } from '../history/observation.js';
import type { Gate } from './gate.js';
import { NAMESPACE, seenIn, seenOf } from './objects.js';
import type { Observer } from './observer.js';
import type { Recorder } from './recorder.js';

export interface WatcherOptions {
  readonly name: string;
  readonly transport: Transport;
  readonly recorder: Recorder;
  readonly gate: Gate;
  /** '' watches everything. */
  readonly team: string;
  /** Stops reading now and then, for so long at most, as one who is busy does. */
  readonly dawdleMs?: number;
  readonly random: Random;
  readonly signal: AbortSignal;
}

interface Line {
  readonly type: Change | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject & { readonly code?: number };
}

interface ListBody {
  readonly items: KubeObject[] | null;
  readonly metadata: { readonly resourceVersion: string };
}

/** One list, recorded; what it was asked by may be older than a cache of it. @returns its revision */
export async function recordedList({
  name,
  transport,
  recorder,
  team,
}: Pick<WatcherOptions, 'name' | 'transport' | 'recorder' | 'team'>): Promise<number> {
  const list = recorder.next();
  recorder.add({ what: 'asked', list });
  const query = queryString({ labelSelector: team === '' ? undefined : `team=${team}` });
  const path = resourcePath(CONFIG_MAPS, NAMESPACE) + query;
  const { items, metadata } = JSON.parse(await transport.fetch({ method: 'GET', path })) as ListBody;
  const revision = Number(metadata.resourceVersion);
  recorder.add({ what: 'listed', list, by: name, team, revision, items: seenIn(items ?? []) });
  return revision;
}

/** Watches as anybody may: it lists once, and goes on after the last revision that it was told of when a watch breaks off. */
export function startWatcher(options: WatcherOptions): Observer & { readonly ended: Promise<void> } {
  const { name, transport, recorder, gate, team, random, dawdleMs = 0, signal } = options;
  let known: number | undefined;
  let reached = 0;

  const tell = ({ type, object }: Line): void => {
    if (type === 'ERROR') throw toStatusError(object.code ?? 500, JSON.stringify(object));
    const revision = Number(object.metadata.resourceVersion);
    if (type === 'BOOKMARK') recorder.add({ what: 'bookmark', by: name, revision });
    else {
      const seen = seenOf(object);
      if (seen !== undefined) recorder.add({ what: 'event', by: name, change: type, seen });
    }
    known = reached = revision;
  };
  const watch = async (from: number): Promise<void> => {
    const query = queryString({
      labelSelector: team === '' ? undefined : `team=${team}`,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: String(from),
    });
    const path = resourcePath(CONFIG_MAPS, NAMESPACE) + query;
    const answer = await transport.open({ method: 'GET', path, signal, idleTimeoutMs: 0 });
    recorder.add({ what: 'watching', by: name, team, from });
    let rest = '';
    answer.setEncoding('utf8');
    for await (const chunk of answer) {
      const lines = (rest + (chunk as string)).split('\n');
      rest = lines.pop() ?? '';
      if (answer.statusCode !== 200) throw toStatusError(answer.statusCode ?? 0, lines.join('\n') + rest);
      for (const line of lines) tell(JSON.parse(line) as Line);
      if (dawdleMs > 0) await realClock.sleep(random.below(dawdleMs), signal);
    }
  };
  const run = async (): Promise<void> => {
    while (await gate.passed()) {
      try {
        known ??= await recordedList(options);
        await watch(known);
      } catch (error) {
        if (error instanceof StatusError && error.code === 410) known = undefined;
      }
    }
  };
  return { name, reached: () => reached, ended: run() };
}
