import type { IncomingMessage } from 'node:http';

const PRETTY_AGENTS = ['curl', 'Wget', 'Mozilla/5.0'];
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/** Whether JSON is indented for people: asked for, or a client that people read (apiserver negotiation.isPrettyPrint). */
export function isPretty(raw: IncomingMessage, query: URLSearchParams): boolean {
  const asked = query.get('pretty');
  if (asked !== null && asked !== '') return TRUE.has(asked);
  const agent = raw.headers['user-agent'] ?? '';
  return PRETTY_AGENTS.some(prefix => agent.startsWith(prefix));
}
