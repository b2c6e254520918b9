import type { JsonObject } from '../../machinery/types.js';

export const isMap = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where a value is, written out when somebody asks: most values are in order. */
export interface Place {
  readonly step: string | number;
  /** How a key is shown: `.name` or `[key]`. */
  readonly keyed?: boolean;
  readonly within: Place | undefined;
}

/** "spec.list[2].name", "spec.map[key]": the path as apimachinery's field package prints it. */
export function fieldPath(place: Place | undefined): string {
  const parts: string[] = [];
  for (let here = place; here !== undefined; here = here.within)
    parts.push(typeof here.step === 'number' || here.keyed === true ? `[${here.step}]` : `.${here.step}`);
  return parts.reverse().join('').replace(/^\./, '');
}
