import type { RuleSync } from '../../../nodeagent/proxy/sync-feed.js';
import { nameOf, plain } from './text.js';

const MOST = 3;

/** "proxy of node-1: partial sync in 1.2 ms for Service default/web, EndpointSlice default/web-abc"; undefined: nothing was asked for. */
export function syncLine(
  node: string,
  { family, full, milliseconds, error, causes, moreCauses }: RuleSync,
): string | undefined {
  if (error !== undefined) return plain(`proxy of ${node}: sync of ${family} failed: ${error}`);
  const all = [
    ...new Set(
      causes.map(
        ({ kind, namespace, name }) => `${kind} ${nameOf({ ...(namespace === undefined ? {} : { namespace }), name })}`,
      ),
    ),
  ];
  if (all.length === 0) return undefined;
  const more = all.length - Math.min(all.length, MOST) + moreCauses;
  const what = `${all.slice(0, MOST).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return plain(
    `proxy of ${node}: ${full ? 'full' : 'partial'} sync of ${family} in ${milliseconds.toFixed(1)} ms for ${what}`,
  );
}
