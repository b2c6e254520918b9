import type { NftAddressSide, NftExpression, NftField, NftRule, NftVerdict } from '../../kernel/nftables/rule.js';
import type { Origin } from '../../trace.js';
import type { LocalTraffic } from '../detect-local.js';

export const verdict = (kind: 'jump' | 'goto', chain: string): NftExpression => ({
  kind: 'verdict',
  verdict: { kind, chain },
});
export const drop: NftExpression = { kind: 'verdict', verdict: { kind: 'drop' } };
export const goTo = (chain: string): NftVerdict => ({ kind: 'goto', chain });

export const inSet = (side: NftAddressSide, name: string): NftExpression => ({
  kind: 'address',
  side,
  addresses: { kind: 'set', name },
});
export const isOneOf = (side: NftAddressSide, elements: readonly string[]): NftExpression => ({
  kind: 'address',
  side,
  addresses: { kind: 'listed', elements },
});
export const isNoneOf = (side: NftAddressSide, elements: readonly string[]): NftExpression => ({
  kind: 'address',
  side,
  invert: true,
  addresses: { kind: 'listed', elements },
});
export const fibLocal = (side: NftAddressSide): NftExpression => ({ kind: 'fibLocal', side });
export const vmap = (key: readonly NftField[], map: string): NftExpression => ({ kind: 'vmap', key, map });

/** Whether the packet comes from a Pod of this node. */
export function fromLocalPods(detect: LocalTraffic, invert: boolean): NftExpression {
  switch (detect.kind) {
    case 'cidr':
      return invert ? isNoneOf('saddr', [detect.cidr]) : isOneOf('saddr', [detect.cidr]);
    case 'bridgeInterface':
      return { kind: 'iifname', name: detect.name, invert };
    case 'interfaceNamePrefix':
      return { kind: 'iifname', name: `${detect.prefix}*`, invert };
  }
}

export const rule = (
  chain: string,
  expressions: readonly NftExpression[],
  origin: Origin,
  comment?: string,
): NftRule => ({ kind: 'nftRule', chain, expressions, origin, ...(comment === undefined ? {} : { comment }) });
