import type { RouteEntries, RouteEntry } from '../../dataplane/kernel/route-entries.js';
import { parseCidr } from '../../machinery/cidr.js';
import { type Family, familyOf } from '../../machinery/ip.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import { METRIC, NODE_LINK } from './links.js';

/** What leads to another node: its addresses by which others reach it, and the ranges of its Pods. */
export const destinationsOf = ({ spec, status }: DeepReadonly<Node>): string[] => [
  ...(status?.addresses ?? [])
    .filter(({ type, address }) => (type === 'InternalIP' || type === 'ExternalIP') && familyOf(address) !== undefined)
    .map(({ address }) => address),
  ...(spec?.podCIDRs ?? []),
];

export const routeTo = (nodeName: string, destination: string): RouteEntry => ({
  destination,
  link: NODE_LINK,
  nextHop: nodeName,
  metric: METRIC.peer,
});

/** Returns what takes them away; nothing for what is no range: others write it. */
export const addRoutes = (
  tables: Readonly<Record<Family, Pick<RouteEntries, 'add'>>>,
  entries: readonly RouteEntry[],
): (() => void)[] =>
  entries.flatMap(entry => {
    const family = parseCidr(entry.destination)?.family;
    return family === undefined ? [] : [tables[family].add(entry)];
  });
