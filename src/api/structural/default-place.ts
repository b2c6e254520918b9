import { setMember } from '../../machinery/json-equal.js';
import type { JsonObject } from '../../machinery/types.js';

/** Where a default is, from the object of the API on that it is in: member names, null for an item of a list. */
export type DefaultPlace = { readonly step: string | null; readonly within: DefaultPlace } | undefined;

const META = { apiVersion: 'validation/v1', kind: 'Validation' };

/** The smallest object of the API that has a value in this place. The value itself is in it. */
export function objectAround(place: DefaultPlace, value: unknown): JsonObject {
  let inner = value;
  for (let here = place; here !== undefined; here = here.within) {
    if (here.step === null) inner = [inner];
    else {
      const map: JsonObject = {};
      setMember(map, here.step, inner);
      inner = map;
    }
  }
  return { ...META, ...(inner as JsonObject) };
}
