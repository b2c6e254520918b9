import type { IncomingMessage } from 'node:http';
import { createBackoff } from '../machinery/backoff.js';
import type { Clock } from '../machinery/clock.js';
import { StatusError, type Status } from '../machinery/status.js';
import type { KubeObject } from '../machinery/types.js';
import { queryString, resourcePath } from './rest-client.js';
import { toStatusError, type Transport } from './transport.js';
import type { ResourceRef } from './types.js';

/** Receives what a reflector sees. `replace` is the whole state after a list; the others are single changes in order. */
export interface ReflectorSink<T extends KubeObject> {
  replace(objects: readonly T[]): void;
  upsert(object: T): void;
  remove(object: T): void;
}

export interface ReflectorOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly ref: ResourceRef;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Asks for PartialObjectMetadata only: far less to send and to keep. */
  readonly metadataOnly?: boolean;
  /** Told of every failed list or watch; the reflector goes on by itself. */
  readonly onError: (error: Error) => void;
}

interface WatchLine {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: unknown;
}

/** The answer's lines, each a JSON document. */
async function* lines(stream: IncomingMessage): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + (chunk as string)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

const isGone = (error: unknown): boolean => error instanceof StatusError && error.code === 410;

/**
 * Keeps a sink equal to a collection of the API server until the signal aborts: lists, then watches from the list's
 * resourceVersion; a watch that ends is taken up again where it stopped, one that has been compacted (410) lists anew.
 * Same protocol as client-go tools/cache/reflector.go.
 */
export async function runReflector<T extends KubeObject>(
  options: ReflectorOptions,
  sink: ReflectorSink<T>,
  signal: AbortSignal,
): Promise<void> {
  const { transport, clock, ref, labelSelector, fieldSelector } = options;
  const backoff = createBackoff({ initialMs: 50, factor: 2, maxMs: 5_000, jitter: 0.3 });
  const path = resourcePath(ref, '');
  const accept = (as: string): { accept?: string } =>
    options.metadataOnly === true ? { accept: `application/json;as=${as};g=meta.k8s.io;v=v1` } : {};
  let resourceVersion: string | undefined;
  let listed = false;
  const follower = clock.ledger?.follow(transport.userAgent, ref);
  const reached = (revision: string | undefined): void => {
    if (revision !== undefined) follower?.reached(Number(revision));
  };

  const list = async (): Promise<string> => {
    const body = JSON.parse(
      await transport.fetch({
        method: 'GET',
        // Of several servers one may be behind: what was seen must not be undone by what another one remembers.
        path: path + queryString({ labelSelector, fieldSelector, resourceVersion: listed ? '' : '0' }),
        signal,
        ...accept('PartialObjectMetadataList'),
      }),
    ) as { kind: string; apiVersion: string; items: T[] | null; metadata: { resourceVersion: string } };
    // Items of built-in lists come without kind and apiVersion; what watches send has them, and so do cached objects.
    const kind = body.kind.replace(/List$/, '');
    const items = (body.items ?? []).map(item => ({ kind, apiVersion: body.apiVersion, ...item }));
    sink.replace(items);
    listed = true;
    return body.metadata.resourceVersion;
  };

  const apply = (event: WatchLine): string | undefined => {
    if (event.type === 'ERROR') {
      const status = event.object as Status;
      throw toStatusError(status.code ?? 500, JSON.stringify(status));
    }
    const object = event.object as T;
    if (event.type === 'DELETED') sink.remove(object);
    else if (event.type !== 'BOOKMARK') sink.upsert(object);
    return object.metadata.resourceVersion;
  };

  const watch = async (from: string): Promise<void> => {
    const query = queryString({
      labelSelector,
      fieldSelector,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: from,
    });
    const answer = await transport.open({
      method: 'GET',
      path: path + query,
      signal,
      idleTimeoutMs: 0,
      ...accept('PartialObjectMetadata'),
    });
    if (answer.statusCode !== 200) {
      let body = '';
      for await (const line of lines(answer)) body += line;
      throw toStatusError(answer.statusCode ?? 0, body);
    }
    try {
      for await (const line of lines(answer)) {
        if (line === '') continue;
        resourceVersion = apply(JSON.parse(line) as WatchLine) ?? resourceVersion;
        reached(resourceVersion);
        backoff.reset();
      }
    } finally {
      answer.destroy();
    }
  };

  while (!signal.aborted) {
    try {
      resourceVersion ??= await list();
      reached(resourceVersion);
      await watch(resourceVersion);
    } catch (error) {
      if (signal.aborted) break;
      if (isGone(error)) resourceVersion = undefined;
      else {
        follower?.failed();
        options.onError(error as Error);
      }
    }
    // Also after a clean end: a server that closes every watch at once must not be asked in a tight loop.
    await clock.sleep(backoff.next(), signal, { work: true }).catch(() => undefined);
  }
  follower?.end();
}
