import { canonicalIP, familyOf } from '../../../machinery/ip.js';
import type { NftElement, NftKeyType, NftSet } from '../../kernel/nftables/rule.js';

const PORT = /^(?:0|[1-9]\d{0,4})$/;
const PROTOCOLS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

export const isPort = (text: string): boolean => PORT.test(text) && Number(text) <= 65_535;

const isOfType: Readonly<Record<NftKeyType, (text: string) => boolean>> = {
  ipv4_addr: text => familyOf(text) === 'IPv4',
  ipv6_addr: text => familyOf(text) === 'IPv6',
  inet_proto: text => PROTOCOLS.has(text),
  inet_service: isPort,
};

export const KEY_TYPES = Object.keys(isOfType) as readonly NftKeyType[];

/** A part of a key as the kernel has it; undefined when the text is none. `type`: of that part, when the set is known. */
export function keyPartOf(text: string, type: NftKeyType | undefined): string | undefined {
  const isRight = type === undefined ? KEY_TYPES.some(any => isOfType[any](text)) : isOfType[type](text);
  return isRight ? (canonicalIP(text) ?? text) : undefined;
}

/** Why it is no key of the set, if that is known. */
export const keyFault = (key: readonly string[], set: NftSet | undefined): string | undefined =>
  set !== undefined && key.length !== set.key.length ? `a key of ${set.name} has ${set.key.length} parts` : undefined;

/** Why it is no element of the set, if that is known. */
export function elementFault({ verdict, expiresSeconds }: NftElement, set: NftSet | undefined): string | undefined {
  if (set === undefined) return undefined;
  const { kind, name } = set;
  if ((kind === 'map') !== (verdict !== undefined))
    return `an element of the ${kind} ${name} ${kind === 'map' ? 'needs a' : 'has no'} verdict`;
  if (expiresSeconds !== undefined && set.timeoutSeconds === undefined) return `elements of ${name} do not expire`;
  return undefined;
}
