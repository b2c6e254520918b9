import type { NftKeyType, NftSet } from '../../kernel/nftables/rule.js';
import type { Refuse } from './refuse.js';

/** What a set or map says of itself, as far as it is read. */
export interface SetParts {
  key?: readonly NftKeyType[];
  hasVerdict?: boolean;
  sized?: boolean;
  dynamic?: boolean;
  timeoutSeconds?: number;
  comment?: string;
}

/** What is simulated of it. */
export function setOf(name: string, kind: NftSet['kind'], parts: SetParts, refuse: Refuse): NftSet {
  const { key, hasVerdict = false, sized = false, dynamic = false, timeoutSeconds, comment } = parts;
  if (key === undefined) return refuse(`the ${kind} ${name} has no type`);
  if ((kind === 'map') !== hasVerdict) refuse(`a ${kind} of this type is not simulated`);
  if (dynamic !== (timeoutSeconds !== undefined) || dynamic !== sized || (dynamic && kind === 'map'))
    refuse(`${name}: the size, the flags dynamic and timeout, and a timeout are those of one set`);
  return {
    name,
    kind,
    key,
    ...(comment === undefined ? {} : { comment }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  };
}
