import type { RestClient } from '../client/rest-client.js';
import { toStatusError } from '../client/transport.js';
import type { RuleSync } from '../nodeagent/proxy/sync-feed.js';

/** What a node's proxy loads, as it does. Opened when this resolves. @throws StatusError, ConnectionError */
export async function openRuleSyncs(
  client: RestClient,
  path: string,
  signal: AbortSignal,
): Promise<AsyncIterable<RuleSync>> {
  const stream = await client.transport.open({ method: 'GET', path, signal, idleTimeoutMs: 0 });
  if (stream.statusCode !== 200) {
    let body = '';
    for await (const chunk of stream) body += String(chunk);
    throw toStatusError(stream.statusCode ?? 0, body);
  }
  return linesOf(stream.setEncoding('utf8'));
}

async function* linesOf(stream: AsyncIterable<unknown>): AsyncIterable<RuleSync> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as RuleSync;
  }
}
