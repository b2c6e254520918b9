import type { IncomingMessage } from 'node:http';
import type { Transport } from '../client/transport.js';
import type { Clock } from '../machinery/clock.js';
import { readSamples, type NodeSample } from './samples.js';

/** A node with all the Pods it may have says a fraction of it. */
const MAX_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
/** Nodes that are asked at a time. */
const AT_ONCE = 8;

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`its metrics are longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export interface ScrapeOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly onError: (node: string, error: Error) => void;
}

/** What a node says of itself and its Pods: the API server knows where its kubelet is. @throws Error */
async function scrapeNode(name: string, { transport, clock }: ScrapeOptions, signal: AbortSignal): Promise<NodeSample> {
  const late = new AbortController();
  const cancel = clock.after(TIMEOUT_MS, () => late.abort(new Error('it does not answer')), { unref: true });
  try {
    const answer = await transport.open({
      method: 'GET',
      path: `/api/v1/nodes/${encodeURIComponent(name)}/proxy/metrics/resource`,
      accept: 'text/plain',
      signal: AbortSignal.any([signal, late.signal]),
    });
    const text = await textOf(answer);
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode ?? 0}`);
    return readSamples(text, clock.now());
  } finally {
    cancel();
  }
}

/** All of these nodes that answer. */
export async function scrape(
  names: readonly string[],
  options: ScrapeOptions,
  signal: AbortSignal,
): Promise<Map<string, NodeSample>> {
  const samples = new Map<string, NodeSample>();
  const waiting = [...names];
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      try {
        samples.set(name, await scrapeNode(name, options, signal));
      } catch (error) {
        signal.throwIfAborted();
        options.onError(name, error as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, worker));
  return samples;
}
