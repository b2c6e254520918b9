import { betweenCommonEnds } from '../../machinery/between-common-ends.js';
import type { EndpointInfo } from '../services/endpoints.js';

/** What a mode has made of one endpoint. */
interface Made {
  readonly info: EndpointInfo;
}

/**
 * What was made of these endpoints the last time; the rest is made now. Both lists are sorted by address, so that it is one
 * walk over them.
 */
export function keptOrMade<T extends Made>(
  infos: readonly EndpointInfo[],
  known: readonly T[],
  make: (info: EndpointInfo) => T,
): readonly T[] {
  let i = 0;
  return infos.map(info => {
    while (i < known.length && (known[i] as T).info.address < info.address) i++;
    const kept = known[i];
    return kept?.info === info ? kept : make(info);
  });
}

/** Those of a list that the other does not have. */
export function missingIn(list: readonly string[], other: readonly string[]): readonly string[] {
  const [own, others] = betweenCommonEnds(list, other);
  const there = new Set(others);
  return own.filter(text => !there.has(text));
}
