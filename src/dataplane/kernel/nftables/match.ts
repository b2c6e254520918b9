import { containment } from '../../../machinery/address-range.js';
import { parseRange } from '../../../machinery/cidr.js';
import type { Clock } from '../../../machinery/clock.js';
import type { PacketState } from '../passage.js';
import type { RouteTable } from '../routes.js';
import { DYNAMIC_SET_SIZE, type LoadedSet, type NftTable } from './table.js';
import { keyText, type NftAddresses, type NftExpression, type NftField, type NftVerdict } from './rule.js';

export interface NftEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly routes: RouteTable;
}

export const sideOf = (packet: PacketState, side: 'saddr' | 'daddr'): string =>
  side === 'saddr' ? packet.src : packet.dst;

function fieldOf(packet: PacketState, field: NftField): string {
  switch (field) {
    case 'saddr':
    case 'daddr':
      return sideOf(packet, field);
    case 'l4proto':
      return packet.protocol;
    case 'dport':
      return String(packet.dstPort);
  }
}

type AddressTest = (address: string) => boolean;

/** Rules never change and see many packets. */
const tests = new WeakMap<readonly string[], readonly AddressTest[]>();

/** Those of the elements that are more than one address. */
function rangeTests(elements: readonly string[]): readonly AddressTest[] {
  const known = tests.get(elements);
  if (known !== undefined) return known;
  const made = elements.flatMap(element => {
    const range = element.includes('/') || element.includes('-') ? parseRange(element) : undefined;
    return range === undefined ? [] : containment(range);
  });
  tests.set(elements, made);
  return made;
}

function isLearned({ learned }: LoadedSet, key: string, now: number): boolean {
  const expires = learned.get(key);
  return expires !== undefined && expires > now;
}

function isAmong(table: NftTable, addresses: NftAddresses, address: string, clock: Clock): boolean {
  if (addresses.kind === 'listed') {
    const { elements } = addresses;
    return elements.includes(address) || rangeTests(elements).some(test => test(address));
  }
  const set = table.sets.get(addresses.name);
  return set !== undefined && (set.elements.has(address) || isLearned(set, address, clock.now()));
}

type Condition = Extract<
  NftExpression,
  { kind: 'address' | 'ctState' | 'l4proto' | 'fibLocal' | 'iifname' | 'markClear' }
>;

/** Whether the rule goes on. */
export function holds(
  expression: Condition,
  packet: PacketState,
  table: NftTable,
  { routes, clock }: NftEnvironment,
): boolean {
  switch (expression.kind) {
    case 'address':
      return (
        isAmong(table, expression.addresses, sideOf(packet, expression.side), clock) !== (expression.invert ?? false)
      );
    case 'ctState':
      return packet.states.includes(expression.state);
    case 'l4proto':
      return packet.protocol === expression.protocol;
    case 'fibLocal':
      return routes.isLocal(sideOf(packet, expression.side));
    case 'iifname': {
      const { name } = expression;
      const link = packet.inInterface ?? '';
      const same = name.endsWith('*') ? link.startsWith(name.slice(0, -1)) : link === name;
      return same !== (expression.invert ?? false);
    }
    case 'markClear':
      return (packet.mark & expression.mask) === 0;
  }
}

/** The verdict of the element that has the packet's key; undefined: there is none. */
export function lookUp(
  { key, map }: Extract<NftExpression, { kind: 'vmap' }>,
  packet: PacketState,
  table: NftTable,
): NftVerdict | undefined {
  return table.sets.get(map)?.elements.get(keyText(key.map(field => fieldOf(packet, field))))?.verdict;
}

/** A full set learns nothing more, as in the kernel; what has expired makes room. */
export function learn(set: LoadedSet | undefined, key: string, now: number): void {
  const seconds = set?.set.timeoutSeconds;
  if (set === undefined || seconds === undefined) return;
  const { learned } = set;
  // The one that is renewed goes to the end: the oldest are at the beginning.
  learned.delete(key);
  for (const [old, expires] of learned) {
    if (expires > now) break;
    learned.delete(old);
  }
  if (learned.size < DYNAMIC_SET_SIZE) learned.set(key, now + seconds * 1000);
}
